"""The grammar of numbers in text."""

import math

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tfx_bsl.coders.csv_decoder import ColumnTypeInferrer

from zentfx.materializers.cells import MISSING_MARKERS, Cells


def cells(*texts, **options):
    return Cells(pa.array(texts, pa.string()), **options)


def values(array):
    return None if array is None else array.to_pylist()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-5", -5),
        ("+5", 5),
        (" 2", 2),
        ("\t2 ", 2),
        ("007", 7),
        ("-0", 0),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("+0000000000000000000000001", 1),
    ],
)
def test_integers(text, value):
    assert cells(text).kind == "int"
    assert values(cells(text).integers) == [value]
    assert values(cells(text).numbers) == [float(value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5),
        ("+1.5", 1.5),
        (" -1.5 ", -1.5),
        (".5", 0.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("+2E-3", 0.002),
        ("1.e+2", 100.0),
        ("1e-400", 0.0),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("+INF", math.inf),
        ("1e400", math.inf),
    ],
)
def test_numbers(text, value):
    assert cells(text).kind == "float"
    assert cells(text).integers is None
    assert values(cells(text).numbers) == [value]


@pytest.mark.parametrize(
    "text",
    "0x10 0X1F 1_000 1,5 1.5.2 . + - e5 1e 1e5.5 --1 1d5 5% 0b1 nan(1) infinite 1/2 "
    "2020-01-01 true １".split(" "),
)
def test_text(text):
    found = cells("1", text, "2")
    assert found.kind == "string"
    assert found.integers is found.numbers is None
    assert found.first_not_number == found.first_not_integer == 1


@pytest.mark.parametrize("text", ["", " ", "\t", *MISSING_MARKERS, " NA ", "NAN", "-NAN", "+nan"])
def test_missing(text):
    assert cells(text).kind == "empty"
    assert values(cells("1", text).integers) == [1, None]
    assert values(cells("1.5", text).numbers) == [1.5, None]
    assert cells("1", text).kind == "int"
    assert cells(text, "x").first_not_integer == 1


@pytest.mark.parametrize("count", [5000, 100])
def test_very_many_digits(count):
    assert cells("1" * count, "2").kind == "string"
    assert cells("0" * count + "7", "2").kind == "int"
    assert cells("-" + "0" * count + "7", "+2").integers.to_pylist() == [-7, 2]


def test_a_null_is_missing():
    assert values(cells("1", None).integers) == [1, None]
    assert cells(None).kind == cells().kind == "empty"


def test_a_marker_may_be_any_text_and_then_no_other_is_one():
    assert values(cells("?", "1", " ? ", missing=["?"]).integers) == [None, 1, None]
    assert cells("NA", "1", missing=["?"]).kind == "string"
    assert values(cells("", "1", missing=[]).integers) == [None, 1]
    assert values(cells("-999", "1", missing=["-999"]).integers) == [None, 1]


def test_blanks_around_a_marker_do_not_count_either():
    assert values(cells("1", "?", " ?", missing=[" ?"]).integers) == [1, None, None]


def test_texts_keep_their_blanks():
    assert values(cells(" a ", "NA", " ", "b").texts) == [" a ", None, None, "b"]


def test_a_name_may_be_spelled_like_a_number_that_is_none():
    # "NAN" is a missing number, and a text among texts.
    assert values(cells("NAN", "bob").texts) == ["NAN", "bob"]


@pytest.mark.parametrize("digits", ["9223372036854775808", "-9223372036854775809", "1" * 40])
def test_digits_alone_that_do_not_fit_in_64_bits_are_text(digits):
    found = cells("1", digits, "2.5")
    assert found.kind == "string"
    assert found.first_long_integer == found.first_not_integer == 1
    assert values(found.numbers) == [1.0, float(digits), 2.5]


def test_the_decimal_point_may_be_a_comma():
    found = cells("1,5", "+2,25", "3", ",5", decimal=",")
    assert found.kind == "float"
    assert values(found.numbers) == [1.5, 2.25, 3.0, 0.5]
    assert cells("1.5", decimal=",").kind == "string"


class TestAgainstTfxBsl:
    """CsvExampleGen infers by tfx_bsl; the module's docstring says where we differ."""

    likely = st.sampled_from(
        "0,1,-1,+1, 1,1 ,007,1.5,+1.5,.5,5.,.,1e5,1E-3,0x10,abc,true,9223372036854775808,"
        "-9223372036854775809,+,--1,1e400,inf,-inf,Infinity,e5,1.5.5,١,1 000,\n1,1\r\n,1\v".split(
            ","
        )
    )
    built = st.text(st.sampled_from("0123456789+-.eEx _ai\t"), max_size=7)
    numbers = st.integers().map(str) | st.floats(allow_nan=False).map(repr)

    @settings(max_examples=400)
    @example(["1", "1.5", ""])
    @given(st.lists(likely | built | numbers | st.text(max_size=4), min_size=1, max_size=4))
    def test_kinds_are_the_same(self, texts):
        texts = [text for text in texts if not self.differs(text)]
        inferrer = ColumnTypeInferrer(["a"], skip_blank_lines=True)
        state = inferrer.create_accumulator()
        for text in texts:
            state = inferrer.add_input(state, [text.encode()])
        [theirs] = inferrer.extract_output(state)
        kinds = {"UNKNOWN": "empty", "INT": "int", "FLOAT": "float", "STRING": "string"}
        assert cells(*texts).kind == kinds[theirs.type.name]

    def differs(self, text):
        stripped = text.strip(" \t\n\r\v\f")
        return (
            stripped in MISSING_MARKERS
            or (text != "" and stripped == "")
            or "_" in text
            or "nan" in stripped.lower()
        )

    @pytest.mark.parametrize(
        ("text", "ours", "theirs"),
        [
            ("NA", "empty", "STRING"),
            ("nan", "empty", "FLOAT"),
            (" ", "empty", "STRING"),
            ("1_000", "string", "INT"),
        ],
    )
    def test_where_kinds_differ(self, text, ours, theirs):
        inferrer = ColumnTypeInferrer(["a"], skip_blank_lines=True)
        state = inferrer.add_input(inferrer.create_accumulator(), [text.encode()])
        assert inferrer.extract_output(state)[0].type.name == theirs
        assert cells(text).kind == ours


@settings(max_examples=200)
@given(st.lists(st.floats(width=32) | st.none(), min_size=1))
def test_what_python_writes_of_a_number_is_read_as_that_number(numbers):
    texts = ["" if number is None else repr(number) for number in numbers]
    expected = [None if n is None or math.isnan(n) else n for n in numbers]
    assert values(cells(*texts).numbers) == expected
