"""The errors: one tree, as its docstring draws it, and sentences that help."""

import copy
import inspect
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zentfx import errors
from zentfx.errors import NotFoundError, StepFailedError, ZenTFXError, near_matches

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, BaseException) and name != "ZenTFXWarning"
}


def drawn_tree():
    """Class to (parent, builtin) as the module's docstring draws it."""
    tree, parents = {}, {}
    for line in errors.__doc__.splitlines():
        match = re.match(r"    ([│ ├└─]*)(\w+)(?: \((\w+)\))?", line)
        if match is None:
            continue
        depth = len(match[1]) // 4
        parents[depth] = match[2]
        tree[match[2]] = (parents.get(depth - 1), match[3])
    return tree


def test_the_docstring_draws_exactly_the_classes_that_there_are():
    assert drawn_tree().keys() == CLASSES.keys()


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_stands_where_the_docstring_draws_it(name):
    parent, builtin = drawn_tree()[name]
    bases = {base.__name__ for base in CLASSES[name].__bases__}
    assert bases == {parent or "Exception", *([builtin] if builtin else [])}


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_is_a_zentfx_error_and_public(name):
    assert issubclass(CLASSES[name], ZenTFXError)
    assert name in errors.__all__


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_shows_its_message_and_survives_pickling(name):
    error = CLASSES[name]("what happened to 'x'")
    for same in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(same) is CLASSES[name]
        assert str(same) == "what happened to 'x'"


def test_a_look_up_error_reads_as_a_sentence_and_is_a_key_error():
    with pytest.raises(KeyError) as caught:
        raise NotFoundError("There is no run 'x'.")
    assert str(caught.value) == "There is no run 'x'."


def test_a_failed_step_names_its_run_and_step_also_after_pickling():
    error = pickle.loads(pickle.dumps(StepFailedError("boom", run_id="r1", step="trainer")))
    assert (error.run_id, error.step) == ("r1", "trainer")


def test_near_matches_suggests_what_is_close():
    assert near_matches("epocs", ["epochs", "lr"]) == " Did you mean 'epochs'?"


def test_near_matches_suggests_several():
    assert near_matches("feature", ["features", "features2"]).count("'features") == 2


def test_near_matches_lists_what_there_is_where_nothing_is_close():
    assert near_matches("zzz", ["b", "a"]) == " There are 'a', 'b'."
    assert near_matches("zzz", ["a"]) == " There is 'a'."
    assert near_matches("zzz", []) == " There are none."


def test_near_matches_shortens_a_long_list():
    shown = near_matches("zzz", [f"name{i:02}" for i in range(12)])
    assert "'name09', …" in shown
    assert "name10" not in shown


@given(st.text(), st.lists(st.text()))
def test_near_matches_answers_whatever_the_names_are(name, known):
    sentence = near_matches(name, known)
    assert sentence.startswith((" Did you mean ", " There "))
    assert sentence.endswith((".", "?"))
