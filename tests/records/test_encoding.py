"""How values become MLMD properties."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zentfx import Secret
from zentfx.parameters import canonical_json, encode
from zentfx.records.encoding import as_property, chunked, joined

LIMIT = 2000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (False, False),
        (0, 0),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809"),
        (1e-07, 1e-07),
        ("", ""),
        ("naïve ☃", "naïve ☃"),
        ([], "[]"),
        ([1, 2.5, "a", None, True], '[1,2.5,"a",null,true]'),
        ({"b": 1, "a": [2]}, '{"a":[2],"b":1}'),
        ((1, 2), "[1,2]"),
        (Path("/repo/data/x.csv"), "data/x.csv"),
        (Path("/other/x.csv"), "/other/x.csv"),
        ([Path("/repo/x")], '[{"$path":"x"}]'),
        (Secret("TOKEN"), '{"$secret":"TOKEN"}'),
    ],
)
def test_a_value_shows_as_what_other_tools_can_read(value, expected):
    shown = as_property(value, Path("/repo"))
    assert shown == expected
    assert type(shown) is type(expected)


def test_text_at_the_limit_is_whole():
    for text in ("a" * LIMIT, "é" * (LIMIT // 2), "☃" * (LIMIT // 3)):
        assert as_property(text) == text


@pytest.mark.parametrize("character", ["a", "é", "☃", "🐦"])
@pytest.mark.parametrize("shift", range(4))
def test_longer_text_is_cut_between_characters_with_a_mark(character, shift):
    text = "a" * shift + character * (LIMIT + 1)
    shown = as_property(text)
    mark = f"…[cut: {len(text)} characters]"
    assert shown.endswith(mark)
    assert text.startswith(shown.removesuffix(mark))
    assert LIMIT - 4 < len(shown.encode()) <= LIMIT


def test_text_ends_at_a_nul_with_a_mark():
    assert as_property("ab\0cd") == "ab…[cut: 5 characters]"
    assert as_property("\0") == "…[cut: 1 characters]"


def test_a_nul_inside_a_list_is_escaped_and_so_kept():
    assert json.loads(as_property(["a\0b"])) == ["a\0b"]


@given(st.text(st.characters(codec="utf-8")), st.integers(0, 3000))
def test_every_text_fits(text, repeat):
    shown = as_property(text * repeat)
    assert len(shown.encode()) <= LIMIT
    assert "\0" not in shown


ascii_text = st.text(st.characters(codec="ascii"))


@given(ascii_text, st.integers(1, 500))
def test_chunks_join_to_the_text(part, repeat):
    text = part * repeat
    chunks = chunked("zentfx_recorded", text)
    assert joined("zentfx_recorded", {"other": 1, **chunks}) == text
    assert all(len(chunk) <= LIMIT for chunk in chunks.values())


@pytest.mark.parametrize(
    ("length", "names"),
    [
        (0, ["n"]),
        (1, ["n"]),
        (LIMIT, ["n"]),
        (LIMIT + 1, ["n", "n_1"]),
        (3 * LIMIT, ["n", "n_1", "n_2"]),
    ],
)
def test_a_text_has_no_more_chunks_than_it_needs(length, names):
    assert list(chunked("n", "x" * length)) == names


def test_a_text_that_was_never_written_is_none():
    assert joined("n", {"n_1": "x", "m": "y"}) is None


def test_texts_of_similar_names_stay_apart():
    properties = chunked("n", "a" * LIMIT) | chunked("nn", "b" * (LIMIT + 5))
    assert joined("n", properties) == "a" * LIMIT


@given(st.dictionaries(st.text("abc"), st.text(st.characters(codec="utf-8"))))
def test_the_recorded_text_of_any_arguments_can_be_chunked(arguments):
    text = canonical_json(encode(arguments))
    assert json.loads(joined("n", chunked("n", text))) == arguments
