"""Values as commands print them."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import datetime, timedelta, timezone
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zentfx import Secret
from zentfx.analysis.printable import printable
from zentfx.cli.output import Best, clean_lines, echo_json, echo_table, exact, plain, shown
from zentfx.cli.quantities import AGE, SIZE, size_text


@dataclasses.dataclass
class Point:
    x: float
    y: Path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (0.1, 0.1),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ("text", "text"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "2026-01-02T03:04:05+00:00"),
        (
            datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-02T01:04:05.006000+00:00",
        ),
        (Path("a/b"), {"$path": "a/b"}),
        (Secret("TOKEN"), {"$secret": "TOKEN"}),
        ({1: (math.nan, [None])}, {"1": ["NaN", [None]]}),
        (Point(1.0, Path("a")), {"x": 1.0, "y": {"$path": "a"}}),
        (b"\xff", "b'\\xff'"),
    ],
)
def test_values_as_json_has_them(value, expected):
    assert plain(value) == expected


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_JSON)
def test_whatever_it_is_it_is_valid_json(value):
    text = json.dumps(plain(value), allow_nan=False)
    assert json.loads(text, parse_constant=pytest.fail) == plain(value)


def test_json_is_ascii(capsys):
    echo_json({"ü": "\ud800"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"ü": "\ud800"}


@given(st.text(st.characters()))
def test_a_clean_text_is_one_printable_line(text):
    assert printable(text).isprintable()
    if text.isprintable():
        assert printable(text) == text


def test_lines_stay_lines():
    assert clean_lines("a\x1b[1m\n\tb\r\n") == "a\\x1b[1m\n        b\\r\n"


@pytest.mark.parametrize(
    ("value", "text", "exactly"),
    [
        (None, "", "None"),
        (0.1 + 0.2, "0.3", "0.30000000000000004"),
        (1.0, "1", "1.0"),
        (["a", "b"], "a, b", '["a","b"]'),
        ("a\nb", "a\\nb", "a\\nb"),
        (Path("a"), "a", "a"),
        (Best(0.25), "0.25 ★", None),
        (
            datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone.utc),
            "2026-01-02 03:04:05",
            "2026-01-02 03:04:05.678",
        ),
    ],
)
def test_values_as_tables_have_them(value, text, exactly):
    assert shown(value) == text
    if exactly is not None:
        assert exact(value) == exactly


def test_a_table_where_there_is_no_terminal(capsys):
    long = "x" * 500
    rows = [["a", 1, long, "cut" * 20, ""], ["漢字", 23.5, "[red]", None, ""]]
    echo_table(
        ["name", "n", "whole", "cut", "nothing"], rows, cut=["cut"], optional=["nothing", "n"]
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "n", "whole", "cut"]
    assert lines[1] == f"a        1  {long}  {('cut' * 20)[:39]}…"
    assert lines[2] == "漢字  23.5  [red]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        ("90m", timedelta(minutes=90)),
        ("1.5w", timedelta(days=10.5)),
        ("10 S", timedelta(seconds=10)),
        ("2026-01-31", datetime.fromisoformat("2026-01-31")),
        ("2026-01-31T12:30+02:00", datetime(2026, 1, 31, 10, 30, tzinfo=timezone.utc)),
    ],
)
def test_ages(text, expected):
    assert AGE.convert(text, None, None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4096", 4096),
        ("100MB", 100_000_000),
        ("100mb", 100_000_000),
        ("1.5 GiB", 3 * 2**29),
        ("2kB", 2000),
        ("2KiB", 2048),
        ("7B", 7),
    ],
)
def test_sizes(text, expected):
    assert SIZE.convert(text, None, None) == expected
    with pytest.raises(click.BadParameter):
        SIZE.convert(f"{text}x", None, None)


def test_sizes_as_people_read_them():
    assert size_text(None) == "unknown"
    assert size_text(1_234_567) == "1.2 MB"
