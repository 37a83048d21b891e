"""CSV files that are refused, and what is said of them."""

import codecs
import gzip
import random

import pytest

from zentfx.datasources.csv_format import CSVFormat
from zentfx.datasources.csv_reader import read_cells, read_names
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
        ('a,b\n1,x\n2,"y\n3,z\n', "line 3: a quote is opened in this row and never closed"),
        (b"a\0,b\n1,2\n", "line 1: the name of column 1 has a NUL.*encoding='utf-16'"),
        ("a,b\n1,2\n".encode("utf-16-be"), "has a NUL or a broken character.*utf-16"),
        (b"a,b\r1,2\r3,4\r\xe9,2\r", "line 4: the byte 0xe9"),
        ('"","mpg"\n"Mazda",21\n', r"row.names=FALSE.*column_names=\['row', …\], skip_rows=1"),
        ("a;b\n1;2\n", "there is one column, 'a;b'.*separator=';'"),
        ("a\tb\n1\t2\n", r"separator='\\t'"),
        ("# made by a tool\na,b\n1,2\n", "line 2: expected 1 cell, .*skip_rows"),
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
    with pytest.raises(DataError, match="line 1: expected 2 cells.*got 3.*column_names has 2"):
        read(write("1,2,3\n"), column_names=("a", "b"))


def test_a_row_that_is_shown_is_cut(write):
    with pytest.raises(DataError, match="got 1: 'x{80}…'"):
        read(write("a,b\n" + "x" * 1000 + "\n"))


def test_an_encoding_that_the_file_does_not_have(write):
    with pytest.raises(DataError, match="line 2: the byte 0xe9 is not ascii"):
        read(write(b"a\n\xe9\n"), encoding="ascii")


def test_a_separator_that_was_said_is_believed(write):
    assert read(write("a;b\n1;2\n"), separator=";") == [{"a": ["1"], "b": ["2"]}]
    assert read_names(write("a|b;c\n"), CSVFormat(separator="|")) == ["a", "b;c"]


def test_cells_are_what_the_file_has(write):
    assert read(write('a,b\n 1 ,NA\n"",nan\n')) == [{"a": [" 1 ", ""], "b": ["NA", "nan"]}]


def test_a_header_alone_has_no_rows(write):
    assert read(write("a,b\n")) == []
    assert read_names(write("a,b\n"), CSVFormat()) == ["a", "b"]


def test_a_file_that_cannot_be_decompressed_far_below(write):
    rng = random.Random(0)
    content = b"a,b\n" + b"".join(b"%d,1\n" % rng.randrange(10**9) for _ in range(300_000))
    damaged = bytearray(gzip.compress(content))
    damaged[len(damaged) // 2] ^= 255
    with pytest.raises(DataError, match="rows.csv cannot be decompressed"):
        read(write(bytes(damaged)))


def test_the_quote_that_is_not_closed_may_be_far_up(write):
    rows = "".join(f"{row},x\n" for row in range(200_000))
    with pytest.raises(DataError, match="line 2: a quote is opened in this row and never closed"):
        read(write(f'a,b\n1,"oops\n{rows}'))


@pytest.mark.parametrize("content", ['a,b\n1,"x\ny"\n', 'a,b\n1,"x\ny"', 'a,b\n1,"x\n"\n\n'])
def test_a_quote_that_is_closed_in_the_last_row_is_fine(write, content):
    assert read(write(content))[0]["a"] == ["1"]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_mark_at_the_beginning_is_no_part_of_a_name(write, mark, encoding):
    assert read(write(mark + b'"a",b\n1,2\n'), encoding=encoding) == [{"a": ["1"], "b": ["2"]}]


def test_utf_16_with_a_mark_and_without(write):
    for mark in ("", "\ufeff"):
        file = write(f"{mark}a,b\n1,ä\n".encode("utf-16-le"))
        assert read(file, encoding="utf-16-le") == [{"a": ["1"], "b": ["ä"]}]


def test_lines_of_utf_16_are_counted_as_such(write):
    file = write("a,b\n\u0a0a,x\n".encode("utf-16-le") + b"\x00\xd8")
    with pytest.raises(DataError, match="line 3: the byte"):
        read(file, encoding="utf-16-le")


def test_the_encoding_that_failed_is_not_advised(write):
    with pytest.raises(DataError, match="0x81 is not cp1252. Say .*encoding='utf-8', 'latin-1', …"):
        read(write(b"a\n\x81\n"), encoding="cp1252")


def test_the_mark_of_utf_8_in_another_encoding(write):
    with pytest.raises(DataError, match="begins with the mark of UTF-8; write encoding='utf-8'"):
        read(write(codecs.BOM_UTF8 + b"a\n1\n"), encoding="latin-1")


def test_a_header_and_skipped_lines_may_be_longer_than_what_arrow_reads_at_a_time(write):
    names = [f"a_rather_long_name_of_a_column_{number}" for number in range(60_000)]
    [batch] = read(write(",".join(names) + "\n" + ",".join("1" * 60_000) + "\n"))
    assert list(batch) == names
    assert read(write("#" * 1_500_000 + "\na,b\n1,2\n"), skip_rows=1) == [{"a": ["1"], "b": ["2"]}]


def test_one_column_may_have_another_separator_in_its_name(write):
    assert read(write("weight;kg\n5\n")) == [{"weight;kg": ["5"]}]


def test_names_that_the_file_has_too(write):
    with pytest.raises(DataError, match="line 1: the file has the names of column_names itself"):
        read(write("a,b\n1,2\n"), column_names=("a", "b"))


def test_lines_that_are_all_skipped(write):
    with pytest.raises(DataError, match="is empty below the 10 lines that skip_rows leaves out"):
        read(write("a\n1\n"), skip_rows=10)
