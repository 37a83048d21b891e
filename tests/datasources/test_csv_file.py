"""CSV files: what their columns hold, and which files are refused."""

import random
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zentfx import CSVDatasource
from zentfx.datasources.csv_file import csv_batches, csv_files, csv_kinds
from zentfx.errors import DataError, DataNotFoundError, ParameterError


@pytest.fixture
def write(tmp_path):
    def write(content, name="rows.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


def columns(file):
    return CSVDatasource(name="rows", path=file).columns()


def table(*files):
    files = list(files)
    kinds = csv_kinds(files)
    return kinds, pa.Table.from_batches(list(csv_batches(files, kinds))).to_pydict()


class TestKinds:
    @pytest.mark.parametrize(
        ("cells", "kind", "expected"),
        [
            (["1", "-5", "0", "007"], "int", [1, -5, 0, 7]),
            (["9223372036854775807", "-9223372036854775808"], "int", [2**63 - 1, -(2**63)]),
            (["9223372036854775808", "1"], "float", [2.0**63, 1.0]),
            (["1.5", "2"], "float", [1.5, 2.0]),
            (["1e3", ".5", "5."], "float", [1000.0, 0.5, 5.0]),
            (["a", "1"], "string", [b"a", b"1"]),
            (["1_000"], "string", [b"1_000"]),
            (["1,5"], "string", [b"1,5"]),
            (["true", "false"], "string", [b"true", b"false"]),
            (["2020-01-01"], "string", [b"2020-01-01"]),
            (["NA", "null", "None"], "string", [b"NA", b"null", b"None"]),
            (["naïve ☃"], "string", ["naïve ☃".encode()]),
            ([" 1 "], "string", [b" 1 "]),
            (["", "1"], "int", [None, 1]),
            (["NaN", "nan", "1.5"], "float", [None, None, 1.5]),
            (["", "a"], "string", [None, b"a"]),
            (["", "NaN"], "empty", [None, None]),
        ],
    )
    def test_a_columns_kind_holds_all_its_values(self, write, cells, kind, expected):
        quoted = "".join(f'x,"{cell}"\n' for cell in cells)
        kinds, values = table(write(f"a,b\n{quoted}"))
        assert kinds == {"a": "string", "b": kind}
        assert values["b"] == expected

    @pytest.mark.parametrize("shift", [-1, 0, 1])
    @pytest.mark.parametrize(
        ("early", "late", "kind"),
        [
            ("1", "2", "int"),
            ("1", "2.5", "float"),
            ("1.5", "2", "float"),
            ("1", "x", "string"),
            ("x", "1", "string"),
            ("", "1", "int"),
            ("", "1.5", "float"),
            ("", "x", "string"),
            ("1", "", "int"),
            ("", "", "empty"),
        ],
    )
    def test_a_value_far_below_counts_as_much_as_the_first(self, write, early, late, kind, shift):
        # Arrow reads a megabyte at a time: the last row is near, at or past the end of the first.
        rows = (1 << 20) // 8 + shift
        file = write("key,b\n" + f"abcdef,{early}\n" * rows + f"abcdef,{late}\n")
        assert columns(file) == {"key": "string", "b": kind}

    def test_columns_keep_the_order_of_the_file(self, write):
        assert list(columns(write("z,a,m\n1,2,3\n"))) == ["z", "a", "m"]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_lines_may_end_in_any_of_the_three_ways(self, write, end):
        text = end.join(["a,b", "1,x", "2,y"])
        assert table(write(text)) == ({"a": "int", "b": "string"}, {"a": [1, 2], "b": [b"x", b"y"]})

    def test_a_byte_order_mark_is_no_part_of_the_first_name(self, write):
        assert columns(write(b"\xef\xbb\xbfa,b\n1,2\n")) == {"a": "int", "b": "int"}

    def test_quoted_cells_hold_commas_quotes_and_newlines(self, write):
        _, values = table(write('a,b\n"x,\n""y""\n",1\n'))
        assert values == {"a": [b'x,\n"y"\n'], "b": [1]}

    def test_a_quoted_name_may_have_a_newline(self, write):
        assert columns(write('"a\nb",c\n1,2\n')) == {"a\nb": "int", "c": "int"}

    def test_empty_lines_do_not_count_not_even_first(self, write):
        content = "\n\na,b\n\n2020-01-01,1\n\n"
        assert table(write(content))[0] == {"a": "string", "b": "int"}

    def test_empty_lines_do_not_hide_a_broken_first_line(self, write):
        with pytest.raises(DataError, match="two columns named 'a'"):
            columns(write("\na,a\n1,2\n"))

    def test_a_last_line_without_an_end_is_read(self, write):
        assert table(write("a,b\n1,2\n3,4"))[1] == {"a": [1, 3], "b": [2, 4]}

    texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=6)
    numbers = st.integers().map(str) | st.floats(width=32).map(str) | st.sampled_from(["", "NaN"])

    @settings(max_examples=60)
    @given(cells=st.lists(texts | numbers, min_size=1, max_size=5) | st.lists(numbers, min_size=1))
    def test_whatever_the_cells_every_value_is_read_by_its_kind(self, tmp_path_factory, cells):
        file = tmp_path_factory.mktemp("cells") / "rows.csv"
        rows = "".join('x,"' + cell.replace('"', '""') + '"\n' for cell in cells)
        file.write_text(f"a,b\n{rows}", encoding="utf-8", newline="")
        kinds, values = table(file)
        types = {"int": int, "float": float, "string": bytes, "empty": type(None)}
        assert len(values["b"]) == len(cells)
        for cell, value in zip(cells, values["b"], strict=True):
            missing = cell in ("", "NaN", "nan")
            assert isinstance(value, type(None) if missing else types[kinds["b"]])
            if kinds["b"] == "string" and not missing:
                assert value == cell.encode()


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "rows.csv is empty; expected a line of column names"),
            ("a,b\n", "has no rows"),
            ("a,b", "rows.csv"),
            ("\n\n", "rows.csv"),
            ("a,b\n1\n", "Expected 2 columns, got 1: 1"),
            ("a,b\n1,2\n1,2,3\n", "Expected 2 columns, got 3: 1,2,3"),
            ("a,b,a\n1,2,3\n", "two columns named 'a'"),
            ("a,\n1,2\n", "a column has no name; the first line is .'a', ''."),
            ("a, \n1,2\n", "a column has no name"),
            (b"a,b\n\xe9,2\n", "cannot be read as CSV: .*utf-8"),
            (b"\xe9,b\n1,2\n", "cannot be read as CSV: .*utf-8"),
            ("a,b\n1,2\n".encode("utf-16"), "cannot be read as CSV"),
            ('a,b\n"x,2\n', "cannot be read as CSV"),
        ],
    )
    def test_a_file_that_is_no_table_is_refused_by_name(self, write, content, message):
        with pytest.raises(DataError, match=f"rows.csv.*{message}|{message}") as caught:
            columns(write(content))
        assert "rows.csv" in str(caught.value)

    def test_bytes_that_are_not_utf_8_far_below_are_refused(self, write):
        with pytest.raises(DataError, match="rows.csv cannot be read as CSV: .*UTF8"):
            columns(write(b"a,b\n" + b"abcdef,1\n" * 200_000 + b"\xe9,1\n"))

    def test_a_ragged_row_far_below_is_refused(self, write):
        with pytest.raises(DataError, match="Expected 2 columns, got 3"):
            columns(write("a,b\n" + "abcdef,1\n" * 200_000 + "1,2,3\n"))

    def test_a_missing_file_is_named_with_the_working_directory(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DataNotFoundError, match=f"no file {tmp_path}/rows.csv.*{tmp_path} now"):
            columns("rows.csv")

    def test_a_missing_file_is_an_error_of_python_too(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            columns(tmp_path / "rows.csv")

    @pytest.mark.parametrize("name", ["rows.csv/x.csv", "a\0b.csv"])
    def test_a_name_that_no_file_can_have_is_not_found(self, write, tmp_path, name):
        write("a\n1\n")
        with pytest.raises(DataNotFoundError):
            columns(tmp_path / name)

    def test_constructing_a_datasource_does_not_look_at_the_file(self, tmp_path):
        source = CSVDatasource(name="rows", path=tmp_path / "later.csv")
        (tmp_path / "later.csv").write_text("a\n1\n")
        assert source.columns() == {"a": "int"}

    def test_the_data_needs_a_name(self):
        with pytest.raises(ParameterError, match="'name' must not be empty"):
            CSVDatasource(name="", path="x.csv")


class TestFolders:
    def test_all_csv_files_of_a_folder_are_read_in_the_order_of_their_names(self, write, tmp_path):
        write("a,b\n3,x\n", "2.csv")
        write("b,a\ny,1.5\n", "1.csv")
        write("not,a,csv", "notes.txt")
        (tmp_path / "deeper.csv").mkdir()
        assert [file.name for file in csv_files(tmp_path)] == ["1.csv", "2.csv"]
        kinds, values = table(*csv_files(tmp_path))
        assert kinds == {"b": "string", "a": "float"}
        assert values == {"b": [b"y", b"x"], "a": [1.5, 3.0]}
        assert columns(tmp_path) == kinds

    def test_a_folder_without_csv_files_is_refused(self, tmp_path):
        with pytest.raises(DataNotFoundError, match=r"has no \*.csv files"):
            columns(tmp_path)

    @pytest.mark.parametrize("second", ["a,c\n1,2\n", "a\n1\n", "a,b,c\n1,2,3\n"])
    def test_files_with_other_columns_than_the_first_are_refused(self, write, tmp_path, second):
        write("a,b\n1,2\n", "1.csv")
        write(second, "2.csv")
        with pytest.raises(
            DataError, match="2.csv: its columns are not those of .*1.csv .'[bc]' is"
        ):
            columns(tmp_path)

    def test_a_file_with_a_header_alone_adds_nothing(self, write, tmp_path):
        write("a,b\n", "1.csv")
        write("a,b\n1,2\n", "2.csv")
        assert columns(tmp_path) == {"a": "int", "b": "int"}

    def test_files_with_headers_alone_have_no_rows(self, write, tmp_path):
        write("a,b\n", "1.csv")
        write("a,b\n", "2.csv")
        with pytest.raises(DataError, match="has no rows"):
            columns(tmp_path)

    def test_an_empty_file_among_others_is_refused(self, write, tmp_path):
        write("a\n1\n", "1.csv")
        write("", "2.csv")
        with pytest.raises(DataError, match="2.csv is empty"):
            columns(tmp_path)


def test_many_batches_are_read_in_order(write):
    numbers = random.Random(0).sample(range(10**9), 300_000)
    file = write("n,text\n" + "".join(f"{number},t{number}\n" for number in numbers))
    kinds = csv_kinds([file])
    batches = list(csv_batches([file], kinds))
    assert len(batches) > 1
    assert [n for batch in batches for n in batch.column(0).to_pylist()] == numbers
    assert batches[-1].column(1)[-1].as_py() == f"t{numbers[-1]}".encode()


def test_the_kinds_say_the_order_and_the_types_of_the_batches(tmp_path):
    file = Path(tmp_path) / "rows.csv"
    file.write_text("a,b,c,d\n1,1.5,x,\n")
    [batch] = csv_batches([file], {"d": "empty", "c": "string", "b": "float", "a": "int"})
    assert batch.schema.names == ["d", "c", "b", "a"]
    assert batch.schema.types == [pa.null(), pa.binary(), pa.float32(), pa.int64()]
