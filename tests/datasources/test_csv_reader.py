"""CSV files that are refused, and what is said of them."""

import gzip
import random

import pytest

from zentfx.datasources.csv_format import CSVFormat
from zentfx.datasources.csv_reader import column_names, read_cells
from zentfx.errors import DataError


def read(file, **form):
    return [batch.to_pydict() for batch in read_cells(file, CSVFormat(**form))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "rows.csv is empty; expected a line of column names"),
        ("\n\n", "rows.csv is empty"),
        ("a,b\n1\n", r"rows.csv, line 2: expected 2 cells, one for each column; got 1: '1'\.$"),
        ("a,b\n1,2\n\n1,2,3\n", r"line 4: expected 2 cells, .*; got 3: '1,2,3'\.$"),
        ('a,b\n"x\n\ny",2\n1,2,3\n', "line 5: expected 2 cells"),
        ("a,b,a\n1,2,3\n", "line 1: two columns are named 'a'"),
        ("\na,a\n1,2\n", "line 2: two columns are named 'a'"),
        ("a,\n1,2\n", "line 1: column 2 has no name; the line is .'a', ''."),
        ("a, \n1,2\n", "column 2 has no name"),
        (",a\n0,2\n", r"column 1 has no name.*to_csv\(index=False\)"),
        (b"a,b\n1,2\n\xe9,2\n", "line 3: the byte 0xe9 is not utf-8.*encoding='cp1252'"),
        (b"\xe9,b\n1,2\n", "line 1: the byte 0xe9 is not utf-8"),
        ("a,b\n1,2\n".encode("utf-16"), "encoding='utf-16'"),
        ('a,b\n"x,2\ny,3\n', "line 2: expected 2 cells, .*Is a quote in it not closed"),
        ("a;b\n1;2\n", "there is one column, 'a;b'.*separator=';'"),
        ("a\tb\n1\t2\n", r"separator='\\t'"),
        ("# made by a tool\na,b\n1,2\n", "line 2: expected 1 cells.*skip_rows"),
        ("sep=,\na,b\n1,2\n", "line 1: column 2 has no name.*skip_rows"),
        ('a,b\n"x \\", y",2\n', r"line 2: .*escape='"),
        (b"PK\x03\x04....", "is a zip archive or an Excel sheet; expected CSV"),
        (b"PAR1....", "is a Parquet file"),
        (
            gzip.compress(b"a,b\n1,2\n" * 500)[:-20],
            "cannot be decompressed; it is cut short or damaged",
        ),
    ],
)
def test_a_file_that_is_no_table(write, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read(write(content))
    assert "rows.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n" + b"abcdef,1\n" * 200_000 + b"\xe9,1\n", "line 200002: the byte 0xe9"),
        (b"a,b\n" + b"abcdef,1\n" * 200_000 + b"1,2,3\n", "line 200002: expected 2 cells"),
        (b"a,b\n" + b'"x,1\n' + b"abcdef,1\n" * 200_000, "line 2: .*quote in it not closed"),
    ],
)
def test_a_fault_far_below(write, content, message):
    with pytest.raises(DataError, match=message):
        read(write(content))


def test_a_file_that_has_more_columns_than_names(write):
    with pytest.raises(DataError, match="line 1: expected 2 cells.*got 3.*column_names lists 2"):
        read(write("1,2,3\n"), column_names=("a", "b"))


def test_a_row_that_is_shown_is_cut(write):
    with pytest.raises(DataError, match="got 1: 'x{80}…'"):
        read(write("a,b\n" + "x" * 1000 + "\n"))


def test_an_encoding_that_the_file_does_not_have(write):
    with pytest.raises(DataError, match="line 2: the byte 0xe9 is not ascii"):
        read(write(b"a\n\xe9\n"), encoding="ascii")


def test_a_separator_that_was_said_is_believed(write):
    assert read(write("a;b\n1;2\n"), separator=";") == [{"a": ["1"], "b": ["2"]}]
    assert column_names(write("a|b;c\n"), CSVFormat(separator="|")) == ["a", "b;c"]


def test_cells_are_what_the_file_has(write):
    assert read(write('a,b\n 1 ,NA\n"",nan\n')) == [{"a": [" 1 ", ""], "b": ["NA", "nan"]}]


def test_a_header_alone_has_no_rows(write):
    assert read(write("a,b\n")) == []
    assert column_names(write("a,b\n"), CSVFormat()) == ["a", "b"]


def test_a_file_that_cannot_be_decompressed_far_below(write):
    rng = random.Random(0)
    content = b"a,b\n" + b"".join(b"%d,1\n" % rng.randrange(10**9) for _ in range(300_000))
    damaged = bytearray(gzip.compress(content))
    damaged[len(damaged) // 2] ^= 255
    with pytest.raises(DataError, match="rows.csv cannot be decompressed"):
        read(write(bytes(damaged)))
