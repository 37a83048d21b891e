"""A shipped step's code version is raised when what its results depend on changes."""

import inspect
import json

import zentfx
from tests.code_versions import DEPENDS, FILE, current


def test_a_changed_step_has_a_new_code_version_or_was_confirmed():
    confirmed = json.loads(FILE.read_text(encoding="utf-8"))
    for name, state in current().items():
        assert state == confirmed[name], (
            f"{name}, or a module that its results depend on, has changed. If results change, "
            "raise its code_version. Then confirm: ./dev python tests/code_versions.py"
        )


def test_every_shipped_step_that_can_be_made_is_listed():
    shipped = {
        name
        for name in zentfx.__all__
        if isinstance(item := getattr(zentfx, name), type)
        and issubclass(item, zentfx.BaseStep)
        and not inspect.isabstract(item)
    }
    # What functions become is not made by its name.
    assert (shipped - {"BaseStep"}) | {"FunctionStep"} == set(DEPENDS)
