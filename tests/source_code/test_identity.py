"""Fingerprints: what counts as a change of a step's code, and what does not."""

import importlib
import json
import linecache
import os
import re
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import pytest

import zentfx
from zentfx import BaseStep, RandomSplit, TrainerStep
from zentfx.errors import StepDefinitionError
from zentfx.source_code.identity import code_of

STEP = """
from zentfx import BaseStep
from zt_helpers import scaled

FACTOR = 2


class Gate(BaseStep):
    outputs = {"report": "Report"}

    def __init__(self, threshold: float = 0.1) -> None:
        self.threshold = threshold

    def process(self, inputs, outputs):
        return scaled(self.threshold) * FACTOR
"""
HELPERS = """
from zt_deeper import add


def scaled(value, by=3):
    return add(value, by)
"""
DEEPER = """
def add(left, right):
    return left + right
"""


class Project:
    """Modules of a user's project, which can be edited and imported anew."""

    def __init__(self, folder):
        self.folder = folder
        self.imported = set()

    def write(self, modules):
        for name, text in modules.items():
            file = self.folder / f"{name}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text), encoding="utf-8")
        self.forget()

    def edit(self, name, old, new):
        self.replace(name, old, new)
        self.forget()

    def forget(self):
        for name in [name for name in sys.modules if name.startswith("zt_")]:
            del sys.modules[name]
        importlib.invalidate_caches()

    def code(self, path="zt_steps.Gate", code_version=None):
        module, _, name = path.rpartition(".")
        return code_of(getattr(importlib.import_module(module), name), code_version)

    def replace(self, name, old, new):
        """Edits a module's file, and leaves the module loaded."""
        file = self.folder / f"{name}.py"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def code_again(self, path="zt_steps.Gate"):
        module, _, name = path.rpartition(".")
        return code_of(getattr(sys.modules[module], name))

    def fingerprint(self, *args, **kwargs):
        return self.code(*args, **kwargs).fingerprint


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # edits come within one second
    project = Project(tmp_path)
    project.write({"zt_steps": STEP, "zt_helpers": HELPERS, "zt_deeper": DEEPER})
    yield project
    project.forget()


class TestEdits:
    @pytest.mark.parametrize(
        ("module", "old", "new"),
        [
            ("zt_steps", "FACTOR = 2", "FACTOR = 2  # a comment"),
            ("zt_steps", "FACTOR = 2", "\n\n\nFACTOR = (\n    2\n)"),
            ("zt_steps", "class Gate(BaseStep):\n", 'class Gate(BaseStep):\n    """New."""\n'),
            ("zt_steps", "\nfrom zentfx", '"""A module."""\nfrom zentfx'),
            ("zt_steps", '"report": "Report"', "'report': u'Report',"),
            ("zt_steps", "outputs):\n", "outputs):\n        '''Does it.'''\n"),
            ("zt_helpers", "return add(value, by)", "return add(  value,by  )"),
            ("zt_deeper", "left + right", "(left + right)"),
            ("zt_deeper", "left + right", "left + right  # type: ignore"),
        ],
    )
    def test_comments_docstrings_and_formatting_do_not_count(self, project, module, old, new):
        before = project.fingerprint()
        project.edit(module, old, new)
        assert project.fingerprint() == before

    @pytest.mark.parametrize(
        ("module", "old", "new"),
        [
            ("zt_steps", "FACTOR = 2", "FACTOR = 3"),
            ("zt_steps", "FACTOR = 2", "FACTOR = 2.0"),
            ("zt_steps", "FACTOR = 2", "FACTOR = '2'"),
            ("zt_steps", "FACTOR = 2", "FACTOR = True"),
            ("zt_steps", "threshold: float = 0.1", "threshold: float = 0.2"),
            ("zt_steps", "threshold: float", "threshold: int"),
            ("zt_steps", '"Report"', '"Other"'),
            ("zt_steps", "* FACTOR", "+ FACTOR"),
            ("zt_steps", "self.threshold)", "-self.threshold)"),
            ("zt_steps", "class Gate", "@str\nclass Other:\n    pass\n\n\nclass Gate"),
            ("zt_helpers", "by=3", "by=4"),
            ("zt_helpers", "add(value, by)", "add(by, value)"),
            ("zt_helpers", "add(value, by)", "add(value, right=by)"),
            ("zt_deeper", "left + right", "left - right"),
            ("zt_deeper", "return left + right", "return 'text'"),
            ("zt_deeper", "return left + right", "left + right"),
        ],
    )
    def test_every_other_edit_counts_two_imports_away_too(self, project, module, old, new):
        before = project.fingerprint()
        project.edit(module, old, new)
        assert project.fingerprint() != before

    def test_an_edit_that_is_undone_gives_the_old_fingerprint(self, project):
        before = project.fingerprint()
        project.edit("zt_deeper", "+", "-")
        project.edit("zt_deeper", "-", "+")
        assert project.fingerprint() == before

    def test_modules_that_are_not_reached_do_not_count(self, project):
        project.write({"zt_other": "x = 1"})
        importlib.import_module("zt_other")
        before = project.fingerprint()
        project.write({"zt_other": "x = 2"})
        importlib.import_module("zt_other")
        assert project.fingerprint() == before

    @pytest.mark.parametrize(
        ("statement", "inside"),
        [
            (statement, inside)
            for statement in (
                "import zt_pkg.part",
                "import zt_pkg.part as p",
                "from zt_pkg import part",
                "from zt_pkg.part import value",
                "from zt_pkg.part import *",
                "import os, zt_pkg.part",
            )
            for inside in (False, True)
            if not (inside and "*" in statement)  # which Python does not have
        ],
    )
    @pytest.mark.parametrize("edited", ["zt_pkg/__init__", "zt_pkg/part"])
    def test_every_way_to_import_a_module_reaches_it(self, project, statement, inside, edited):
        project.write({"zt_pkg/__init__": "first = 1", "zt_pkg/part": "value = 1"})
        target = "        return scaled" if inside else "FACTOR = 2"
        project.edit("zt_steps", target, f"{'        ' if inside else ''}{statement}\n{target}")
        before = project.fingerprint()
        project.edit(edited, "1", "2")
        assert project.fingerprint() != before

    def test_a_module_counts_whether_it_was_imported_yet_or_not(self, project):
        project.write({"zt_late": "value = 1"})
        project.edit("zt_steps", "return scaled", "import zt_late; return scaled")
        before = project.fingerprint()
        importlib.import_module("zt_late")
        assert project.fingerprint() == before

    def test_looking_at_code_imports_nothing(self, project):
        project.write({"zt_late": "raise RuntimeError('imported')"})
        project.write({"zt_pkg/__init__": "1 / 0", "zt_pkg/part": "value = 1"})
        project.edit("zt_steps", "return scaled", "import zt_late, zt_pkg.part; return scaled")
        assert {"zt_late", "zt_pkg", "zt_pkg.part"} <= project.code().sources.keys()
        assert not {"zt_late", "zt_pkg", "zt_pkg.part"} & sys.modules.keys()

    @pytest.mark.parametrize(
        "statement",
        [
            "import zt_nowhere.part",
            "import zt_helpers.part",
            "from zt_helpers.deep.part import x",
            "from json.nowhere import x",
            "from .nowhere import x",
        ],
    )
    def test_imports_of_what_is_not_there_are_left_to_the_run(self, project, statement):
        before = project.code().sources.keys()
        project.edit("zt_steps", "return scaled", f"{statement}; return scaled")
        assert project.code().sources.keys() == before

    def test_relative_imports_of_a_package_that_was_not_imported_yet_are_followed(self, project):
        project.write({"zt_pkg/__init__": "from .part import x", "zt_pkg/part": "x = 1"})
        project.edit("zt_steps", "return scaled", "import zt_pkg; return scaled")
        assert {"zt_pkg", "zt_pkg.part"} <= project.code().sources.keys()
        assert "zt_pkg" not in sys.modules

    def test_an_edit_after_the_import_counts_when_the_module_is_loaded_again(self, project):
        first = project.code()
        assert first.warnings == ()
        project.replace("zt_helpers", "by=3", "by=40")
        edited = project.code_again()
        assert (edited.fingerprint, edited.sources) == (first.fingerprint, first.sources)
        [sentence] = edited.warnings
        assert sentence.startswith("The file of the module zt_helpers was edited after the module")
        importlib.reload(sys.modules["zt_helpers"])
        again = project.code_again()
        assert again.fingerprint != first.fingerprint
        assert again.warnings == ()

    def test_an_edit_of_comments_after_the_import_is_no_news(self, project):
        project.fingerprint()
        project.replace("zt_helpers", "by=3", "by = 3")
        assert project.code_again().warnings == ()

    def test_a_class_whose_module_was_loaded_again_must_be_made_again(self, project):
        module = importlib.import_module("zt_steps")
        old = module.Gate
        project.replace("zt_steps", "threshold: float = 0.1", "threshold: float = 0.25")
        importlib.reload(module)
        with pytest.raises(StepDefinitionError, match="defined again.*by loading zt_steps again"):
            code_of(old)
        assert code_of(module.Gate).warnings == ()

    def test_a_class_that_was_loaded_again_as_it_was_is_the_same(self, project):
        module = importlib.import_module("zt_steps")
        old = module.Gate
        importlib.reload(module)
        assert code_of(old) == code_of(module.Gate)

    def test_a_module_that_was_broken_after_its_import_is_named(self, project):
        first = project.code()
        (project.folder / "zt_helpers.py").write_text("def (:\n")
        broken = project.code_again()
        assert broken.fingerprint == first.fingerprint
        assert "zt_helpers was edited" in broken.warnings[0]

    def test_relative_imports_and_circles_are_followed(self, project):
        project.write(
            {
                "zt_pkg/__init__": "",
                "zt_pkg/steps": "from zentfx import BaseStep\nfrom . import one\n"
                "class Gate(BaseStep): pass",
                "zt_pkg/one": "from .two import x",
                "zt_pkg/two": "def f():\n    from ..zt_pkg import one\nx = 1",
            }
        )
        code = project.code("zt_pkg.steps.Gate")
        assert {"zt_pkg.steps", "zt_pkg.one", "zt_pkg.two", "zt_pkg"} <= code.sources.keys()
        project.edit("zt_pkg/two", "x = 1", "x = 2")
        assert project.fingerprint("zt_pkg.steps.Gate") != code.fingerprint

    def test_a_base_class_in_another_module_counts(self, project):
        project.write({"zt_child": "from zt_steps import Gate\nclass Child(Gate):\n    pass\n"})
        before = project.fingerprint("zt_child.Child")
        project.edit("zt_deeper", "+", "-")
        assert project.fingerprint("zt_child.Child") != before

    def test_a_base_class_counts_even_if_its_module_is_not_imported_by_name(self, project):
        project.write(
            {
                "zt_child": "import importlib\nbase = importlib.import_module('zt_steps').Gate\n"
                "class Child(base):\n    pass\n"
            }
        )
        before = project.fingerprint("zt_child.Child")
        project.edit("zt_steps", "FACTOR = 2", "FACTOR = 3")
        assert project.fingerprint("zt_child.Child") != before

    def test_a_module_that_is_in_no_package_and_was_loaded_by_hand_counts(self, tmp_path):
        fingerprints = set()
        for factor in (1, 2, 1):
            file = tmp_path / f"plugin{factor}.py"
            file.write_text(
                "from zentfx import BaseStep\nclass Plug(BaseStep):\n"
                f"    def process(self, inputs, outputs): return {factor}\n"
            )
            spec = importlib.util.spec_from_file_location("zt_plugin", file)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            fingerprints.add(code_of(module.Plug).fingerprint)
        assert len(fingerprints) == 2

    def test_a_source_in_another_encoding_is_read(self, project):
        (project.folder / "zt_helpers.py").write_bytes(
            "# -*- coding: latin-1 -*-\ndef scaled(x): return 'é'\n".encode("latin-1")
        )
        assert "'é'" in project.code().sources["zt_helpers"]
        project.forget()
        (project.folder / "zt_helpers.py").write_bytes(b"\xef\xbb\xbfdef scaled(x): return 1\n")
        assert "return 1" in project.code().sources["zt_helpers"]

    def test_the_own_module_of_an_installed_step_counts(self, project, tmp_path, monkeypatch):
        installed = tmp_path / "lib/site-packages"
        installed.mkdir(parents=True)
        (installed / "zt_plugin.py").write_text(STEP.replace("zt_helpers", "zt_near"))
        (installed / "zt_near.py").write_text("def scaled(x): return x")
        monkeypatch.syspath_prepend(installed)
        before = project.fingerprint("zt_plugin.Gate")
        (installed / "zt_near.py").write_text("def scaled(x): return -x")
        project.forget()
        assert project.fingerprint("zt_plugin.Gate") == before
        (installed / "zt_plugin.py").write_text(STEP.replace("zt_helpers", "zt_near") + "x = 1")
        project.forget()
        assert project.fingerprint("zt_plugin.Gate") != before

    def test_installed_packages_do_not_count(self, tmp_path, monkeypatch, project):
        installed = tmp_path / "lib/site-packages"
        installed.mkdir(parents=True)
        (installed / "zt_installed.py").write_text("x = 1")
        monkeypatch.syspath_prepend(installed)
        project.edit("zt_steps", "FACTOR = 2", "import zt_installed, yaml, json\nFACTOR = 2")
        code = project.code()
        assert code.sources.keys() == {"zt_steps", "zt_helpers", "zt_deeper", "zentfx.steps.base"}
        (installed / "zt_installed.py").write_text("x = 2")
        assert project.fingerprint() == code.fingerprint


def made_in_a_function(factor, helper=None, kind="method"):
    if kind == "method":

        class Made(BaseStep):
            def process(self, inputs, outputs):
                return factor if helper is None else helper(factor)

    elif kind == "property":

        class Made(BaseStep):
            @property
            def size(self):
                return factor

    else:

        class Made(BaseStep):
            @staticmethod
            def size():
                return factor

    return Made


class TestClassesOfFunctions:
    """What a class takes from the function around it is no part of any source text."""

    @pytest.mark.parametrize("kind", ["method", "property", "staticmethod"])
    @pytest.mark.parametrize(
        ("one", "other"), [(1, 2), (1, 1.0), ("a", "b"), ([1], [2]), (None, 0)]
    )
    def test_plain_values_count(self, kind, one, other):
        def fingerprint(value):
            return code_of(made_in_a_function(value, kind=kind)).fingerprint

        assert fingerprint(one) == fingerprint(one)
        assert fingerprint(one) != fingerprint(other)

    def test_functions_count_with_their_modules(self, project):
        def code():
            scaled = importlib.import_module("zt_helpers").scaled
            return code_of(made_in_a_function(1, helper=scaled))

        before = code()
        assert {"zt_helpers:scaled", "zt_deeper"} <= before.sources.keys()
        project.edit("zt_deeper", "+", "-")
        assert code().fingerprint != before.fingerprint

    def test_what_such_functions_take_from_around_them_counts(self):
        def adding(number):
            def add(x):
                return x + number

            return add

        def fingerprint(number):
            return code_of(made_in_a_function(1, helper=adding(number))).fingerprint

        assert fingerprint(1) == fingerprint(1)
        assert fingerprint(1) != fingerprint(2)

    def test_functions_that_call_themselves_are_read_once(self):
        def count(x):
            return x and count(x - 1)

        cls = made_in_a_function(1, helper=count)
        assert code_of(cls).fingerprint == code_of(cls).fingerprint

    def test_other_values_are_refused_unless_the_state_has_a_name(self):
        cls = made_in_a_function(object())
        with pytest.raises(StepDefinitionError, match="uses factor from the function.*an? object"):
            code_of(cls)
        assert code_of(cls, "1").fingerprint == code_of(cls, "1").fingerprint


class TestSources:
    def test_the_sources_are_the_texts_of_what_counts_and_of_shipped_bases(self, project):
        sources = project.code().sources
        assert sources["zt_steps"] == STEP
        assert sources["zt_helpers"] == HELPERS
        assert sources["zt_deeper"] == DEEPER
        assert "class BaseStep" in sources["zentfx.steps.base"]

    def test_two_states_with_one_fingerprint_have_texts_of_their_own(self, project):
        before = project.code()
        project.edit("zt_steps", "FACTOR = 2", "FACTOR = 2  # for now")
        after = project.code()
        assert after.fingerprint == before.fingerprint
        assert after.sources_digest != before.sources_digest
        assert json.loads(after.sources_text) == after.sources
        assert project.code().sources_digest == after.sources_digest

    def test_a_fingerprint_is_a_sha256(self, project):
        assert re.fullmatch("[0-9a-f]{64}", project.fingerprint())


class TestCodeVersion:
    def test_it_replaces_the_fingerprint(self, project):
        plain = project.fingerprint()
        named = project.fingerprint(code_version="1")
        assert named != plain
        project.edit("zt_steps", "FACTOR = 2", "FACTOR = 3")
        assert project.fingerprint(code_version="1") == named
        assert project.fingerprint(code_version="2") != named
        assert project.fingerprint(code_version="") not in (named, plain)

    def test_the_sources_are_kept_all_the_same(self, project):
        assert project.code(code_version="1").sources["zt_steps"] == STEP


class TestShippedSteps:
    @pytest.mark.parametrize(
        "cls",
        [
            getattr(zentfx, name)
            for name in zentfx.__all__
            if isinstance(getattr(zentfx, name), type)
            and issubclass(getattr(zentfx, name), BaseStep)
        ],
        ids=lambda cls: cls.__name__,
    )
    def test_they_have_a_fingerprint_and_a_source(self, cls):
        code = code_of(cls)
        assert f"class {cls.__name__}" in code.sources[cls.__module__]

    def test_it_depends_on_the_code_version_and_not_on_the_text(self, monkeypatch):
        before = code_of(RandomSplit).fingerprint
        monkeypatch.setattr(RandomSplit, "code_version", "next", raising=False)
        assert code_of(RandomSplit).fingerprint != before

    def test_a_new_code_version_of_a_base_counts(self, monkeypatch, project):
        before = project.fingerprint()
        monkeypatch.setattr(BaseStep, "code_version", "next")
        assert project.fingerprint() != before

    def test_different_shipped_steps_have_different_fingerprints(self):
        assert code_of(RandomSplit).fingerprint != code_of(TrainerStep).fingerprint


class Notebook:
    """Cells that run in one namespace, as IPython runs them."""

    def __init__(self, name):
        self.module = types.ModuleType(name)
        self.count = 0
        sys.modules[name] = self.module

    def run(self, text):
        self.count += 1
        file = f"<ipython-input-{self.module.__name__}-{self.count}>"
        text = textwrap.dedent(text)
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), vars(self.module))

    def code(self, name="Gate", code_version=None):
        return code_of(getattr(self.module, name), code_version)


@pytest.fixture
def notebook():
    notebook = Notebook("notebook_of_tests")
    notebook.run("import math, json\nfrom zentfx import BaseStep, TrainerStep\nFACTOR = 2\ni = 1")
    notebook.run("def deeper(x):\n    return x\n\ndef helper(x):\n    return deeper(x) * FACTOR")
    notebook.run(GATE)
    yield notebook
    del sys.modules["notebook_of_tests"]


GATE = """
    class Gate(BaseStep):
        def __init__(self, threshold: float = 0.1):
            self.threshold = threshold

        def process(self, inputs, outputs):
            return [helper(i) for i in range(3)]
"""


class TestNotebooks:
    def test_options_of_a_typed_step_do_not_count(self, notebook):
        notebook.run("from zentfx import step as made\ndef other(n): return lambda f: made(f)")
        found = []
        for decorator in ("made", "made(retries=1)", "made(retries=2)", "other(1)", "other(2)"):
            notebook.run(f"@{decorator}\ndef work() -> int:\n    return helper(1)")
            found.append(code_of(notebook.module.work.step_class).fingerprint)
        assert found[0] == found[1] == found[2]
        assert len(set(found)) == 3

    def test_a_class_of_a_cell_has_its_source(self, notebook):
        code = notebook.code()
        assert code.sources["notebook_of_tests:Gate"] == textwrap.dedent(GATE).lstrip("\n")

    @pytest.mark.parametrize(
        "cell",
        [
            GATE,
            GATE.replace("BaseStep):", "BaseStep):  # a comment"),
            "x = 1\n" + textwrap.dedent(GATE) + "\n\ny = 2\n",
            "i = 5",
            "unrelated = 1",
            "def helper(x):\n    '''Says more.'''\n    return deeper(x)  *  FACTOR",
            "FACTOR = 2",
        ],
    )
    def test_what_does_not_change_the_code_does_not_count(self, notebook, cell):
        before = notebook.code().fingerprint
        notebook.run(cell)
        assert notebook.code().fingerprint == before

    @pytest.mark.parametrize(
        "cell",
        [
            GATE.replace("range(3)", "range(4)"),
            GATE.replace("= 0.1", "= 0.2"),
            "def helper(x):\n    return deeper(x) + FACTOR",
            "def deeper(x):\n    return -x",
            "deeper = lambda x: x + 1",
            "FACTOR = 3",
            "FACTOR = [2, {'a': 1}]",
            "FACTOR = 2.0",
            "FACTOR = True",
            "FACTOR = '2'",
            "FACTOR = {'a', 'b'}",
            "FACTOR = float('inf')",
            "class deeper:\n    def __init__(self, x): self.x = x",
        ],
    )
    def test_edits_count_in_other_cells_too(self, notebook, cell):
        before = notebook.code().fingerprint
        notebook.run(cell)
        assert notebook.code().fingerprint != before

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("[1, 2]", "(1, 2)"),
            ("[2, 1]", "[1, 2]"),
            ("{'a': 1}", "{'a': 2}"),
            ("{'a': 1}", "[('a', 1)]"),
            ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
            ("{1, 2}", "{1, 3}"),
            ("{1, 2}", "frozenset({1, 2})"),
            ("[{1}, [None]]", "[{1}, [0]]"),
            ("math.nan", "math.inf"),
            ("1", "True"),
            ("b'a'", "'a'"),
        ],
    )
    def test_constants_of_all_plain_kinds_count(self, notebook, one, other):
        notebook.run(f"FACTOR = {one}")
        before = notebook.code().fingerprint
        notebook.run(f"FACTOR = {other}")
        assert notebook.code().fingerprint != before

    def test_the_text_of_a_constant_is_the_same_in_every_process(self, notebook):
        names = [f"name {number}" for number in range(20)]
        fingerprints = set()
        for order in (names, names[::-1]):
            notebook.run(f"FACTOR = set(); [FACTOR.add(item) for item in {order}]")
            fingerprints.add(notebook.code().fingerprint)
        assert len(fingerprints) == 1

    @pytest.mark.parametrize(
        "cell",
        [
            "FACTOR = object()",
            "FACTOR = [object()]",
            "FACTOR = []; FACTOR.append(FACTOR)",
            "from enum import IntEnum\nclass E(IntEnum):\n    A = 1\nFACTOR = E.A",
        ],
    )
    def test_other_values_do_not_stand_in_the_way(self, notebook, cell):
        notebook.run(cell)
        assert notebook.code().fingerprint == notebook.code().fingerprint

    def test_values_of_other_kinds_count_by_their_content(self, notebook):
        def of(text):
            notebook.run(f"import array\nFACTOR = {text}")
            return notebook.code().fingerprint

        one = of("array.array('d', [1, 2])")
        assert of("array.array('d', [1, 2])") == one
        assert of("array.array('d', [1, 3])") != one
        assert of("__import__('threading').Lock()") != one  # cannot be looked into

    def test_a_class_that_was_typed_again_with_other_code_is_told_of(self, notebook):
        old = notebook.module.Gate
        notebook.run(GATE)
        assert code_of(old).warnings == ()
        notebook.run(GATE.replace("0.1", "0.2"))
        [sentence] = code_of(old).warnings
        assert sentence.startswith("The class Gate was defined again since the step was made")
        assert code_of(notebook.module.Gate).warnings == ()

    def test_functions_that_call_themselves_or_each_other_are_read_once(self, notebook):
        notebook.run("def helper(x):\n    return deeper(x) if x else helper(x - 1)")
        notebook.run("def deeper(x):\n    return helper(x)")
        before = notebook.code()
        assert {"notebook_of_tests:helper", "notebook_of_tests:deeper"} <= before.sources.keys()
        notebook.run("def deeper(x):\n    return -helper(x)")
        assert notebook.code().fingerprint != before.fingerprint

    def test_the_last_definition_of_two_in_a_cell_counts(self, notebook):
        first = textwrap.dedent(GATE)
        notebook.run(first + first.replace("range(3)", "range(4)"))
        before = notebook.code().fingerprint
        notebook.run(first + first.replace("range(3)", "range(5)"))
        assert notebook.code().fingerprint != before

    def test_a_class_of_properties_alone_has_its_source(self, notebook):
        text = "class Split(BaseStep):\n    @property\n    def names(self):\n        return ['a']\n"
        notebook.run(text)
        before = notebook.code("Split")
        assert before.sources["notebook_of_tests:Split"] == text
        notebook.run(text.replace("'a'", "'b'"))
        assert notebook.code("Split").fingerprint != before.fingerprint

    def test_installed_packages_that_a_cell_uses_do_not_count(self, notebook):
        notebook.run("import yaml\nfrom json import dumps\nfrom yaml import safe_dump")
        notebook.run(GATE.replace("helper(i)", "math.sqrt(yaml.dump(dumps(safe_dump(i))))"))
        modules = {key.partition(":")[0] for key in notebook.code().sources}
        assert modules == {"notebook_of_tests", "zentfx.steps.base"}
        assert notebook.code().warnings == ()

    @pytest.mark.parametrize(
        ("define", "change"),
        [
            ("class Config: RATE = 1", "class Config: RATE = 2"),
            ("class Config: RATE = 1", "Config.RATE = 2"),
            (
                "from enum import Enum\nclass Config(Enum):\n    RATE = 1",
                "from enum import Enum\nclass Config(Enum):\n    RATE = 2",
            ),
            (
                "from typing import NamedTuple\nclass Config(NamedTuple):\n    RATE: int = 1",
                "from typing import NamedTuple\nclass Config(NamedTuple):\n    RATE: int = 2",
            ),
            (
                "import dataclasses\n@dataclasses.dataclass\nclass Config:\n    RATE: int = 1",
                "import dataclasses\n@dataclasses.dataclass\nclass Config:\n    RATE: int = 2",
            ),
            (
                "class Basis: RATE = 1\nclass Config(Basis): pass",
                "class Basis: RATE = 2\nclass Config(Basis): pass",
            ),
            ("Config = {'a': lambda x: x}", "Config = {'a': lambda x: -x}"),
            (
                "def rate(x):\n    return x\nConfig = [rate]",
                "def rate(x):\n    return -x\nConfig = [rate]",
            ),
            (
                "import functools as f\ndef rate(x, y):\n    return x\nConfig = f.partial(rate, 1)",
                "import functools as f\ndef rate(x, y):\n    return y\nConfig = f.partial(rate, 1)",
            ),
            (
                "import functools\n@functools.lru_cache\ndef Config(x):\n    return x",
                "import functools\n@functools.lru_cache\ndef Config(x):\n    return -x",
            ),
            (
                "class Scaler:\n    def by(self):\n        return 1\nConfig = Scaler()",
                "class Scaler:\n    def by(self):\n        return 2\nConfig = Scaler()",
            ),
            (
                "def make(n):\n    def inner(): return n\n    return inner\nConfig = make(1)",
                "Config = make(2)",
            ),
            ("import json as Config\nConfig.RATE = 1", "Config.RATE = 2"),
        ],
    )
    def test_whatever_a_step_mentions_counts(self, notebook, define, change):
        notebook.run(define)
        notebook.run(GATE.replace("helper(i)", "helper(i, Config, Config.RATE)"))
        before = notebook.code()
        assert notebook.code() == before
        notebook.run(change)
        assert notebook.code().fingerprint != before.fingerprint
        assert before.warnings == ()

    def test_what_cannot_be_looked_into_is_never_the_same_and_says_so(self, notebook):
        notebook.run("FACTOR = __import__('threading').Lock()")
        one, other = notebook.code(), notebook.code()
        assert one.fingerprint != other.fingerprint
        [sentence] = one.warnings
        assert "uses FACTOR, a lock, whose content cannot be told" in sentence
        assert "the step is not reused" in sentence
        named = notebook.code(code_version="1")
        assert named.fingerprint == notebook.code(code_version="1").fingerprint
        assert named.warnings == ()

    def test_a_class_that_extends_one_of_its_own_name_counts_with_it(self, notebook):
        child = "class Gate(Gate):\n    def check(self): super().check()"
        notebook.run(child)
        before = notebook.code()
        assert before.warnings == ()
        notebook.run(GATE.replace("0.1", "0.2"))
        notebook.run(child)
        assert notebook.code().fingerprint != before.fingerprint

    def test_a_base_without_methods_has_its_source(self, notebook):
        notebook.run("class Mix: RATE = 1\nclass Own(Mix, Gate): limit = 5")
        before = notebook.code("Own").fingerprint
        notebook.run("class Mix: RATE = 2\nclass Own(Mix, Gate): limit = 5")
        changed = notebook.code("Own").fingerprint
        notebook.run("class Own(Mix, Gate): limit = 6")
        assert len({before, changed, notebook.code("Own").fingerprint}) == 3

    def test_decorators_count(self, notebook):
        notebook.run("def keep(cls):\n    return cls")
        notebook.run("@keep\n" + textwrap.dedent(GATE).lstrip())
        before = notebook.code().fingerprint
        notebook.run("def keep(cls):\n    cls.extra = 1\n    return cls")
        assert notebook.code().fingerprint != before

    def test_a_base_class_of_another_cell_counts(self, notebook):
        child = "class Child(Gate):\n    def check(self): super().check()"
        notebook.run(child)
        before = notebook.code("Child").fingerprint
        notebook.run(GATE.replace("range(3)", "range(4)"))
        notebook.run(child)
        assert notebook.code("Child").fingerprint != before

    @pytest.mark.parametrize(
        ("imports", "use"),
        [
            ("from zt_helpers import scaled", "scaled(i)"),
            ("import zt_helpers", "zt_helpers.scaled(i)"),
            ("import zt_pkg.part", "zt_pkg.part.scaled(i)"),
        ],
    )
    def test_modules_that_a_cell_uses_count(self, notebook, project, imports, use):
        project.write({"zt_pkg/__init__": "", "zt_pkg/part": "from zt_helpers import scaled"})
        cell = GATE.replace("helper(i)", use)
        notebook.run(imports)
        notebook.run(cell)
        before = notebook.code().fingerprint
        project.edit("zt_deeper", "+", "-")
        notebook.run(imports)
        notebook.run(cell)
        assert notebook.code().fingerprint != before

    def test_a_module_that_a_method_imports_counts(self, notebook, project):
        cell = GATE.replace("return [", "from zt_helpers import scaled\n            return [")
        notebook.run(cell)
        before = notebook.code().fingerprint
        project.edit("zt_deeper", "+", "-")
        assert notebook.code().fingerprint != before

    def test_a_class_without_a_source_is_refused_unless_its_state_has_a_name(self, notebook):
        exec("class Gate(BaseStep):\n    def f(self): pass", vars(notebook.module))
        with pytest.raises(StepDefinitionError, match="source of Gate cannot be found.*code_vers"):
            notebook.code()
        assert (
            notebook.code(code_version="1").fingerprint
            == notebook.code(code_version="1").fingerprint
        )


class TestReleases:
    TEXT = """
        import os
        from typing import Any

        @staticmethod
        def helper(a, /, b: int = -1, *args: Any, c=None, **kwargs) -> "str":
            '''A docstring.'''
            global NAME
            NAME = local = 1e-07
            typed: float = 0.0
            with open(os.devnull) as one, open(b"\\x00"):
                return f"{a!r:>{b}}" if not args else [*args, {**kwargs}][0:1]

        class Plain(dict, metaclass=type):
            async def work(self):
                async for x in self:
                    yield await x
                try:
                    x, *y = lambda: (yield)
                except (KeyError, ValueError) as error:
                    raise error from None
                else:
                    del x[..., 1j]
                while (n := 10) > 3 >= 2:
                    match n:
                        case {"a": [1, *_], **rest} if True:
                            assert rest, "é"
                        case Plain(x=None) | -1:
                            pass
    """

    def test_a_fingerprint_is_the_same_in_every_release_and_on_every_python(self, project):
        # If this must change, no earlier result is reused any more: raise _NORMAL_FORM and say so.
        project.write({"zt_plain": self.TEXT})
        fingerprint = "8b2e1ad0b2329b3c378ece21ad1f425143e94920b51327fc497aff9e52cef486"
        assert project.fingerprint("zt_plain.Plain") == fingerprint


class TestScripts:
    SCRIPT = """
        import sys
        from zentfx import BaseStep
        from zt_helpers import scaled

        class Gate(BaseStep):
            def process(self, inputs, outputs):
                return scaled(1)

        if __name__ == "__main__":
            from zentfx.source_code.identity import code_of
            print(code_of(Gate).fingerprint, *sorted(code_of(Gate).sources))
    """

    @staticmethod
    def run(project, *arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            check=True,
            cwd=project.folder,
            env={
                **os.environ,
                "PYTHONPATH": f"{Path(zentfx.__file__).parents[1]}:{project.folder}",
            },
        ).stdout.split()

    def test_a_script_has_the_fingerprint_that_it_has_when_imported(self, project):
        project.write({"zt_script": self.SCRIPT})
        code = project.code("zt_script.Gate")
        expected = [code.fingerprint, *sorted(code.sources)]
        assert self.run(project, "zt_script.py") == expected
        assert self.run(project, "-m", "zt_script") == expected

    def test_a_fingerprint_is_the_same_in_every_process(self, project):
        code = (
            "import zt_steps as s; from zentfx.source_code.identity import code_of; "
            "print(code_of(s.Gate).fingerprint)"
        )
        assert self.run(project, "-c", code) == [project.fingerprint()]


class TestFunctionSteps:
    """Functions count by the part of their module that they depend on."""

    @pytest.fixture
    def module(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(tmp_path)
        names = []

        def load(text, name=None):
            name = name or f"zt_steps_{len(names)}_{tmp_path.name.replace('-', '_')}"
            names.append(name)
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
            importlib.invalidate_caches()
            if name in sys.modules:
                return importlib.reload(sys.modules[name])
            return importlib.import_module(name)

        yield load
        for name in names:
            sys.modules.pop(name, None)

    TEXT = """
        from zentfx import step

        FACTOR = 2

        @step
        def train(x):
            return x * FACTOR

        @step
        def report(x):
            return x
        """

    def test_what_is_computed_at_loading_is_no_edit_of_the_file(self, module, monkeypatch):
        monkeypatch.setenv("ZT_FACTOR", "3")
        text = """
            from __future__ import annotations
            import os
            from typing import TYPE_CHECKING
            from zentfx import step
            if TYPE_CHECKING:
                import pandas as pd
            FACTOR = int(os.environ["ZT_FACTOR"])
            @step
            def train(rows: pd.DataFrame):
                return len(rows) * FACTOR
        """
        loaded = module(text)
        before = code_of(loaded.train.step_class)
        assert before.warnings == ()
        loaded.FACTOR = 4
        assert code_of(loaded.train.step_class).fingerprint != before.fingerprint

    def test_an_old_function_of_a_module_that_was_loaded_again_is_refused(self, module):
        first = module(self.TEXT)
        old = first.train.step_class
        again = module(self.TEXT.replace("x * FACTOR", "x * FACTOR + 1000"), first.__name__)
        code_of(again.train.step_class)
        with pytest.raises(StepDefinitionError, match="train was defined again"):
            code_of(old)

    def test_an_edit_after_loading_is_told_where_it_matters(self, module, tmp_path):
        loaded = module(self.TEXT)
        train, report = loaded.train.step_class, loaded.report.step_class
        assert not code_of(train).warnings
        file = Path(loaded.__file__)
        file.write_text(file.read_text().replace("FACTOR = 2", "FACTOR = 3000"))
        assert "was edited after the module was loaded" in code_of(train).warnings[0]
        assert not code_of(report).warnings

    def test_what_decorators_were_given_counts(self, module):
        loaded = module(
            """
            import functools
            from zentfx import step

            def scaled(n):
                def decorate(function):
                    @functools.wraps(function)
                    def inner(x):
                        return function(x) * n
                    return inner
                return decorate

            def make(n):
                @step
                @scaled(n)
                def train(x):
                    return x
                return train
            """
        )
        two, three = (code_of(loaded.make(n).step_class).fingerprint for n in (2, 3))
        assert two != three
        assert two == code_of(loaded.make(2).step_class).fingerprint

    def test_a_package_without_an_init_file_is_the_users_own(self, module, tmp_path):
        package = tmp_path / f"zt_space_{tmp_path.name.replace('-', '_')}"
        package.mkdir()
        (package / "conf.py").write_text("C = {}\ndef configure(x): C['x'] = x\n")
        text = f"""
            from zentfx import step
            from {package.name} import conf

            done = conf.configure(1)

            @step
            def train():
                return conf.C["x"]
            """
        one, other = module(text), module(text.replace("configure(1)", "configure(2)"))
        fingerprints = {code_of(item.train.step_class).fingerprint for item in (one, other)}
        assert len(fingerprints) == 2
