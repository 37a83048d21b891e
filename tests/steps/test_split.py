"""The random split: where rows go, and what it refuses."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zentfx import RandomSplit
from zentfx.errors import ParameterError, ParameterTypeError

ROWS = [f"row {number}".encode() for number in range(20_000)]


def counts(step, rows=ROWS):
    result = dict.fromkeys(step.split_names, 0)
    for row in rows:
        result[step.split_names[step.assign(row)]] += 1
    return result


@pytest.mark.parametrize(
    "split_map",
    [
        {"train": 0.7, "eval": 0.3},
        {"train": 0.98, "eval": 0.01, "test": 0.01},
        {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3},
        {"all": 1.0},
        {"train": 1 - 1e-7, "eval": 1e-7},
    ],
)
def test_shares_are_met_within_what_chance_allows(split_map):
    total = len(ROWS)
    for name, count in counts(RandomSplit(split_map)).items():
        share = split_map[name]
        # Five standard deviations; the rows are fixed, so this cannot fail by bad luck.
        assert abs(count - share * total) <= 5 * math.sqrt(share * (1 - share) * total) + 1, name


def test_another_seed_gives_another_split():
    first, second = (RandomSplit({"train": 0.5, "eval": 0.5}, seed=seed) for seed in (0, 1))
    differing = sum(first.assign(row) != second.assign(row) for row in ROWS)
    assert abs(differing - len(ROWS) / 2) <= 5 * math.sqrt(len(ROWS)) / 2


@given(st.binary(), st.integers(-(2**63), 2**63 - 1))
def test_equal_rows_go_together_whatever_object_computes_it(row, seed):
    split_map = {"train": 0.7, "eval": 0.2, "test": 0.1}
    place = RandomSplit(split_map, seed=seed).assign(row)
    assert place in range(3)
    assert RandomSplit(split_map, seed=seed).assign(bytes(bytearray(row))) == place


def test_neither_the_order_of_rows_nor_of_the_splits_matters():
    shuffled = random.Random(0).sample(ROWS, len(ROWS))
    forward = RandomSplit({"train": 0.7, "eval": 0.3})
    backward = RandomSplit({"eval": 0.3, "train": 0.7})
    assert counts(forward) == counts(backward, shuffled)
    assert forward.split_names == backward.split_names == ["eval", "train"]
    assert [forward.assign(row) for row in ROWS] == [backward.assign(row) for row in ROWS]


def test_the_split_of_a_row_is_the_same_in_every_release():
    split = RandomSplit({"train": 0.7, "eval": 0.3})
    assert split.arguments["seed"] == 0
    assert "".join(str(split.assign(row)) for row in ROWS[:24]) == "011100111001111011101101"


@pytest.mark.parametrize(
    ("split_map", "message"),
    [
        ({"train": 0.7, "eval": 0.2}, "must add up to 1; .* adds up to 0.9"),
        ({"train": 0.7, "eval": 0.4}, "adds up to 1.1"),
        ({}, "at least one split"),
        ({"train": 1.5, "eval": -0.5}, "positive shares; eval: -0.5 came"),
        ({"train": 1.0, "eval": 0.0}, "positive shares; eval: 0.0"),
    ],
)
def test_shares_that_are_none_are_refused(split_map, message):
    with pytest.raises(ParameterError, match=f"RandomSplit: parameter 'split_map' .*{message}"):
        RandomSplit(split_map)


@pytest.mark.parametrize("name", ["train set", "", "a/b"])
def test_names_that_are_none_are_refused(name):
    with pytest.raises(ParameterError, match=f"RandomSplit: names of splits .* got '{name}'"):
        RandomSplit({name: 1.0})


def test_shares_that_add_up_but_for_rounding_are_taken():
    assert RandomSplit({name: 0.1 for name in "abcdefghij"}).split_names == list("abcdefghij")


@pytest.mark.parametrize("seed", [2**63, -(2**63) - 1, 10**70])
def test_a_seed_has_at_most_64_bits(seed):
    with pytest.raises(ParameterError, match="'seed' must be an integer of 64 bits"):
        RandomSplit({"all": 1.0}, seed=seed)


@pytest.mark.parametrize("split_map", [["train", "eval"], {"train": "0.7"}, None])
def test_shares_of_the_wrong_type_are_refused(split_map):
    with pytest.raises(ParameterTypeError):
        RandomSplit(split_map)
