"""Rows of CSV files, and the lines of the file that they are on."""

import gzip

import pytest

from zentfx.datasources.csv_format import CSVFormat
from zentfx.datasources.csv_lines import (
    detect_compression,
    find_undecodable,
    line_of_row,
    open_bytes,
    read_rows,
)


def rows(file, **form):
    return [tuple(row) for row in read_rows(file, CSVFormat(**form))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_know_their_lines(write, end):
    text = end.join(["", "a,b", '"x', "", 'y",1', "", "z,2"])
    expected = [(2, 2, ["a", "b"]), (3, 5, [f"x{end}{end}y", "1"]), (7, 7, ["z", "2"])]
    assert rows(write(text)) == expected
    for row, line in enumerate([3, 7, None]):
        assert line_of_row(write(text), CSVFormat(), row) == line


def test_skipped_lines_count_as_lines(write):
    file = write('# "odd\n\na,b\n1,2\n')
    assert rows(file, skip_rows=1) == [(3, 3, ["a", "b"]), (4, 4, ["1", "2"])]
    form = CSVFormat(skip_rows=2, column_names=("x", "y"))
    assert [line_of_row(file, form, row) for row in range(3)] == [3, 4, None]


def test_broken_bytes_are_escaped_unless_they_are_an_error(write):
    file = write(b"a\n\xe9\n")
    assert rows(file)[1] == (2, 2, [r"\xe9"])
    with pytest.raises(UnicodeDecodeError):
        list(read_rows(file, CSVFormat(), strict=True))


@pytest.mark.parametrize(
    ("content", "encoding", "line"),
    [
        (b"a\n1\n\xe9\n", "utf-8", 3),
        (b"a\r\n1\r\n\xe9\r\n", "utf-8", 3),
        (b"a\r1\r\xe9\r", "utf-8", 3),
        ("a\n\u0a0a\n".encode("utf-16-le") + b"\x00\xd8", "utf-16-le", 3),
    ],
)
def test_the_line_of_the_first_broken_byte(write, content, encoding, line):
    for data in (content, gzip.compress(content)):
        found = find_undecodable(write(data), encoding)
        assert found is not None
        assert found[0] == line


def test_nothing_broken(write):
    assert find_undecodable(write("ä\n"), "utf-8") is None


def test_compression_is_known_by_the_content(write):
    text = write(b"BZh,a\n1,2\n", "text.csv")  # begins as bzip2 does, nearly
    packed = write(gzip.compress(b"a\n1\n"), "packed.csv")
    assert detect_compression(text) is None
    assert detect_compression(packed) == "gzip"
    with open_bytes(packed) as stream:
        assert stream.read() == b"a\n1\n"
