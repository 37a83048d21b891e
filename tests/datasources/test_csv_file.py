"""The datasource of CSV files."""

import pytest

from zentfx import CSVDatasource
from zentfx.errors import DataNotFoundError, ParameterError, ParameterTypeError, ZenTFXWarning


def test_the_columns_are_those_of_the_files(write, tmp_path):
    write("a,b\n3,x\n", "2.csv")
    write("b,a\ny,1.5\n", "1.csv")
    for path in (tmp_path, tmp_path / "*.csv"):
        assert CSVDatasource(name="rows", path=path).columns() == {"b": "string", "a": "float"}


def test_arguments_say_how_the_files_are_written(write):
    file = write("# by a tool\n'x';1,5;?\n".encode("utf-16"))
    source = CSVDatasource(
        name="rows",
        path=file,
        types={"c": "int"},
        missing=["?"],
        separator=";",
        decimal=",",
        quote="'",
        encoding="utf-16",
        column_names=["a", "b", "c"],
        skip_rows=1,
    )
    assert source.columns() == {"a": "string", "b": "float", "c": "int"}


def test_a_column_that_is_nearly_one_of_numbers_is_warned_of(write):
    file = write("a\n1\n2\n3\n?\n")
    with pytest.warns(ZenTFXWarning, match=r"line 5, column 'a': .*missing=\['\?', …\]"):
        assert CSVDatasource(name="rows", path=file).columns() == {"a": "string"}


def test_constructing_a_datasource_does_not_look_at_the_file(tmp_path):
    source = CSVDatasource(name="rows", path=tmp_path / "later.csv")
    with pytest.raises(DataNotFoundError):
        source.columns()
    (tmp_path / "later.csv").write_text("a\n1\n")
    assert source.columns() == {"a": "int"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "'name' must not be empty"),
        ({"separator": ""}, "'separator' must be one character; got ''"),
        ({"separator": ", "}, "'separator' must be one character; got ', '"),
        ({"separator": "→"}, "'separator' must be an ASCII character"),
        ({"separator": "\n"}, "'separator' must be an ASCII character, no line end"),
        ({"quote": "\0"}, "'quote' must be an ASCII character"),
        ({"missing": ["\\N"], "escape": "\\"}, r"which is not found with escape"),
        ({"quote": "''"}, "'quote' must be one character"),
        ({"escape": ""}, "'escape' must be one character"),
        ({"decimal": "x"}, "'decimal' must be '.' or ','; got 'x'"),
        ({"decimal": ","}, "'decimal' must differ from separator; both are ','"),
        ({"escape": '"'}, "'escape' must differ from quote"),
        ({"encoding": "utf-9"}, "'encoding' must be one that Python knows; got 'utf-9'"),
        ({"encoding": "rot13"}, "'encoding' must be one that Python knows; got 'rot13'"),
        ({"encoding": "utf\0-8"}, "'encoding' must be one that Python knows"),
        ({"skip_rows": -1}, "'skip_rows' must be at least 0 .*; got -1"),
        ({"skip_rows": 2**70}, "'skip_rows' must be .* below 2..31"),
        ({"column_names": []}, "'column_names' needs at least one name"),
        ({"column_names": ["a", " "]}, "'column_names' has an empty name"),
        ({"column_names": ["a", "b", "a"]}, "'column_names' lists 'a' twice"),
        ({"types": {"a": "text"}}, "must be one of 'int', 'float', 'string'; 'text'"),
        ({"non_finite": "drop"}, "must be one of 'refuse', 'missing'; 'drop'"),
    ],
)
def test_what_cannot_be_is_refused_at_once(arguments, message):
    with pytest.raises(ParameterError, match=message):
        CSVDatasource(**{"name": "rows", "path": "rows.csv", **arguments})


def test_a_list_of_markers_is_a_list():
    with pytest.raises(ParameterTypeError, match="'missing' must be"):
        CSVDatasource(name="rows", path="rows.csv", missing="NA")


@pytest.mark.parametrize("encoding", ["UTF_8", "u8", "utf8", "UTF-8-SIG"])
def test_an_encoding_may_be_spelled_as_python_takes_it(write, encoding):
    file = write(b"\xef\xbb\xbfa,b\n1,2\n")
    source = CSVDatasource(name="rows", path=file, encoding=encoding)
    assert source.columns() == {"a": "int", "b": "int"}
