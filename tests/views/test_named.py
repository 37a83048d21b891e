"""A dict whose look-ups help."""

import pytest

from zentfx.errors import NotFoundError
from zentfx.views.named import Named


@pytest.fixture
def steps():
    named = Named("step", "run 'r1'")
    named.update(trainer=1, evaluator=2)
    return named


def test_what_is_there_is_found(steps):
    assert steps["trainer"] == 1
    assert list(steps) == ["trainer", "evaluator"]


def test_a_look_up_that_misses_names_the_near_match(steps):
    with pytest.raises(
        NotFoundError, match="^There is no step 'trainr' in run 'r1'. Did you mean 'tra"
    ):
        steps["trainr"]


def test_a_look_up_that_misses_is_a_key_error_and_lists_what_there_is(steps):
    with pytest.raises(KeyError, match="There are 'evaluator', 'trainer'"):
        steps["xyz"]


def test_an_empty_one_says_that_it_is_empty():
    with pytest.raises(NotFoundError, match="no output 'x' in step 'a'. There are none"):
        Named("output", "step 'a'")["x"]


def test_it_asks_and_counts_like_any_dict(steps):
    assert "trainer" in steps
    assert "trainr" not in steps
    assert len(steps) == 2
    assert steps.get("trainr", 5) == 5
