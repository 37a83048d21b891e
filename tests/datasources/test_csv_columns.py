"""The kinds of CSV columns, and their values."""

import gzip
import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zentfx.datasources.csv_columns import scan_columns, typed_batches
from zentfx.datasources.csv_format import CSVFormat
from zentfx.errors import DataError
from zentfx.materializers.cells import MISSING_MARKERS


def table(*files, types=None, non_finite="refuse", **form):
    """Kinds, and values by column."""
    form = CSVFormat(**form)
    kinds = scan_columns(files, form, types or {}, non_finite).kinds
    batches = list(typed_batches(files, form, kinds, non_finite))
    return kinds, pa.Table.from_batches(batches).to_pydict()


def warnings(*files, types=None, non_finite="refuse", **form):
    return scan_columns(files, CSVFormat(**form), types or {}, non_finite).warnings


class TestKinds:
    @pytest.mark.parametrize(
        ("cells", "kind", "expected"),
        [
            (["1", "-5", "0", "007"], "int", [1, -5, 0, 7]),
            (["9223372036854775807", "-9223372036854775808"], "int", [2**63 - 1, -(2**63)]),
            ([" 1", "2 ", "+3"], "int", [1, 2, 3]),
            (["1.5", "2"], "float", [1.5, 2.0]),
            (["1e3", ".5", "5."], "float", [1000.0, 0.5, 5.0]),
            (["a", "1"], "string", [b"a", b"1"]),
            (["1_000"], "string", [b"1_000"]),
            (["1,5"], "string", [b"1,5"]),
            (["true", "false"], "string", [b"true", b"false"]),
            (["2020-01-01"], "string", [b"2020-01-01"]),
            (["NA", "null", "None", "1"], "int", [None, None, None, 1]),
            (["0x10", "a"], "string", [b"0x10", b"a"]),
            (["naïve ☃"], "string", ["naïve ☃".encode()]),
            ([" a ", " "], "string", [b" a ", None]),
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
        # Arrow reads a megabyte at a time: the last row is just before, at or past its end.
        line = f"abcdef,{early}\n"
        rows = ((1 << 20) - len("key,b\n")) // len(line) + shift
        file = write("key,b\n" + line * rows + f"abcdef,{late}\n")
        scanned = scan_columns([file], CSVFormat(), {})
        assert scanned.kinds == {"key": "string", "b": kind}

    def test_columns_keep_the_order_of_the_file(self, write):
        assert list(table(write("z,a,m\n1,2,3\n"))[0]) == ["z", "a", "m"]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_lines_may_end_in_any_of_the_three_ways(self, write, end):
        text = end.join(["a,b", "1,x", "2,y"])
        assert table(write(text)) == ({"a": "int", "b": "string"}, {"a": [1, 2], "b": [b"x", b"y"]})

    def test_a_byte_order_mark_is_no_part_of_the_first_name(self, write):
        assert table(write(b"\xef\xbb\xbfa,b\n1,2\n"))[0] == {"a": "int", "b": "int"}

    def test_quoted_cells_hold_commas_quotes_and_newlines(self, write):
        _, values = table(write('a,b\n"x,\n""y""\n",1\n'))
        assert values == {"a": [b'x,\n"y"\n'], "b": [1]}

    def test_a_quoted_name_may_have_a_newline(self, write):
        assert table(write('"a\nb",c\n1,2\n'))[0] == {"a\nb": "int", "c": "int"}

    def test_empty_lines_do_not_count_not_even_first(self, write):
        content = "\n\na,b\n\n2020-01-01,1\n\n"
        assert table(write(content))[0] == {"a": "string", "b": "int"}

    def test_a_last_line_without_an_end_is_read(self, write):
        assert table(write("a,b\n1,2\n3,4"))[1] == {"a": [1, 3], "b": [2, 4]}

    texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=6)
    numbers = st.integers().map(str) | st.sampled_from(["", "NaN", " 2", "+3", "1e3", "NA"])

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
            missing = cell.strip(" \t\n\v\f") in ("", *MISSING_MARKERS)
            assert isinstance(value, type(None) if missing else types[kinds["b"]])
            if kinds["b"] == "string" and not missing:
                assert value == cell.encode()


class TestFormats:
    @pytest.mark.parametrize(
        ("content", "form", "expected"),
        [
            ("a;b\n1,5;x\n", {"separator": ";", "decimal": ","}, {"a": [1.5], "b": [b"x"]}),
            ("a\tb\n1\tx\n", {"separator": "\t"}, {"a": [1], "b": [b"x"]}),
            ("a,b\n'x,y',1\n", {"quote": "'"}, {"a": [b"x,y"], "b": [1]}),
            ('a,b\n5",1\n', {"quote": ""}, {"a": [b'5"'], "b": [1]}),
            ('a,b\n"x \\"y\\"",1\n', {"escape": "\\"}, {"a": [b'x "y"'], "b": [1]}),
            ("# by a tool\na,b\n1,2\n", {"skip_rows": 1}, {"a": [1], "b": [2]}),
            ("1,x\n2,y\n", {"column_names": ("a", "b")}, {"a": [1, 2], "b": [b"x", b"y"]}),
            ("#\n\n1,x\n", {"column_names": ("a", "b"), "skip_rows": 1}, {"a": [1], "b": [b"x"]}),
            (
                "a,b\nZürich,1\n".encode("cp1252"),
                {"encoding": "cp1252"},
                {"a": ["Zürich".encode()], "b": [1]},
            ),
            (
                "a,b\nZürich,1\n".encode("utf-16"),
                {"encoding": "utf-16"},
                {"a": ["Zürich".encode()], "b": [1]},
            ),
        ],
    )
    def test_a_file_is_read_as_it_is_written(self, write, content, form, expected):
        assert table(write(content), **form)[1] == expected

    @pytest.mark.parametrize("name", ["rows.csv.gz", "rows.csv"])
    def test_compressed_files_are_known_by_their_content(self, write, name):
        content = gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n")
        assert table(write(content, name))[1] == {"a": [1, 2], "b": [b"x", b"y"]}

    @pytest.mark.parametrize("length", [3_000_000, 20_000_000])
    def test_a_cell_may_be_longer_than_what_arrow_reads_at_a_time(self, write, length):
        start = "".join(f"x,{row}\n" for row in range(200_000))
        _, values = table(write(f"a,b\n{start}{'y' * length},-1\nz,-2\n"))
        assert values["b"] == [*range(200_000), -1, -2]
        assert len(values["a"][-2]) == length
        assert values["a"][-1] == b"z"


class TestTypes:
    def test_a_column_has_the_type_that_is_said(self, write):
        types = {"zip": "string", "n": "float", "none": "float"}
        kinds, values = table(
            write("zip,n,none\n01234,1\n,2\n".replace("1\n", "1,\n").replace("2\n", "2,\n")),
            types=types,
        )
        assert kinds == types
        assert values == {"zip": [b"01234", None], "n": [1.0, 2.0], "none": [None, None]}

    def test_digits_that_do_not_fit_in_64_bits_may_be_floats(self, write):
        file = write(f"a\n{2**63}\n1\n")
        assert table(file, types={"a": "float"})[1] == {"a": [2.0**63, 1.0]}

    @pytest.mark.parametrize(
        ("kind", "wanted"), [("int", "a 64-bit integer"), ("float", "a number")]
    )
    def test_a_cell_of_another_type_is_named_with_its_line(self, write, kind, wanted):
        file = write('a,b\n"x\ny",1\n\nz,2\nz,?\n')
        message = rf"rows.csv, line 6, column 'b': expected {wanted}, got '\?'.*missing="
        with pytest.raises(DataError, match=message):
            table(file, types={"b": kind})

    def test_a_float_is_no_int(self, write):
        with pytest.raises(
            DataError,
            match="line 3, column 'a': .* 64-bit integer, got '1.5'. Write types={'a': 'float'}",
        ):
            table(write("a\n1\n1.5\n"), types={"a": "int"})

    def test_a_column_that_is_not_there_is_refused(self, write):
        with pytest.raises(DataError, match="types names 'fair', which .*Did you mean 'fare'"):
            table(write("fare\n1\n"), types={"fair": "int"})


class TestNotFinite:
    @pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e40", "-1e400"])
    def test_such_a_number_is_refused_with_its_place(self, write, cell):
        file = write(f"a,b\n1.5,1\n{cell},2\n")
        message = f"rows.csv, line 3, column 'a': '{cell}' is infinite, or too large"
        with pytest.raises(DataError, match=message):
            table(file)
        with pytest.raises(DataError, match=message):
            table(file, types={"a": "float"})

    @pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e40", "-1e400"])
    def test_it_may_be_taken_for_missing(self, write, cell):
        file = write(f"a,b\n1.5,1\n{cell},2\n")
        assert table(file, non_finite="missing")[1] == {"a": [1.5, None], "b": [1, 2]}

    def test_in_a_column_of_text_it_is_text(self, write):
        assert table(write("a\n1.5\ninf\nx\n"))[1] == {"a": [b"1.5", b"inf", b"x"]}

    def test_it_may_be_far_below(self, write):
        file = write("a,b\n" + "1.5,abcdef\n" * 300_000 + "inf,x\n")
        with pytest.raises(DataError, match="line 300002, column 'a'"):
            table(file)


class TestWarnings:
    def test_an_unknown_marker_is_named_with_its_line_and_what_to_write(self, write):
        file = write("age,b\n" + "1,x\n2,x\n" * 5 + "?,x\n3,x\n?,x\n")
        [text] = warnings(file)
        assert text == (
            f"{file}, line 12, column 'age': the column is read as strings because of '?', while "
            "11 of its 13 cells are numbers. If '?' marks a missing value, write missing=['?', …]; "
            "if the column is text, types={'age': 'string'}."
        )
        assert warnings(file, missing=("?",)) == []
        assert warnings(file, types={"age": "string"}) == []

    def test_several_odd_cells_among_many_numbers(self, write):
        [text] = warnings(write("a\n" + "1.5\n" * 40 + "x\n12:30\n"))
        assert "line 42, column 'a'" in text
        assert "because of 'x', while 40 of its 42 cells" in text

    @pytest.mark.parametrize("rows", [10, 100_000])
    def test_text_with_some_numbers_in_it_is_text(self, write, rows):
        cells = [str(row) if row % 3 else f"A{row}" for row in range(rows)]
        assert warnings(write("a\n" + "\n".join(cells) + "\n")) == []

    def test_a_decimal_comma(self, write):
        [text] = warnings(write("a;b\n" + "x;1,5\n" * 20), separator=";")
        assert "line 2, column 'b'" in text
        assert "write decimal=','" in text
        assert warnings(write("a;b\nx;1,5\n"), separator=";", decimal=",") == []
        with pytest.raises(DataError, match="got '1,5'. If the comma is the decimal point"):
            table(write("a;b\nx;1,5\n"), separator=";", types={"b": "float"})

    def test_an_odd_cell_far_below(self, write):
        [text] = warnings(write("a,b\n" + "abcdef,1\n" * 300_000 + "x,N.A.\n"))
        assert "line 300002, column 'b'" in text
        assert "'N.A.'" in text

    def test_an_odd_cell_in_the_second_file(self, write):
        first, second = write("a\n1\n2\n", "1.csv"), write("a\n3\n?\n", "2.csv")
        [text] = warnings(first, second)
        assert text.startswith(f"{second}, line 3, column 'a'")

    def test_digits_that_do_not_fit_in_64_bits(self, write):
        [text] = warnings(write(f"a\n1\n2\n{2**63}\n"))
        assert "line 4, column 'a'" in text
        assert f"'{2**63}' does not fit in 64 bits" in text
        assert "types={'a': 'float'}" in text

    def test_numbers_text_and_missing_cells_are_nothing_to_warn_of(self, write):
        assert warnings(write("a,b,c\n1,x,\n,y,\nNA,,\n2.5,z,\n")) == []


class TestSeveralFiles:
    def test_kinds_hold_the_cells_of_all(self, write):
        files = write("b,a\ny,1.5\n", "1.csv"), write("a,b\n3,x\n", "2.csv")
        kinds, values = table(*files)
        assert kinds == {"b": "string", "a": "float"}
        assert values == {"b": [b"y", b"x"], "a": [1.5, 3.0]}

    @pytest.mark.parametrize("second", ["a,c\n1,2\n", "a\n1\n", "a,b,c\n1,2,3\n", "a,c\n"])
    def test_files_with_other_columns_than_the_first_are_refused(self, write, second):
        files = write("a,b\n1,2\n", "1.csv"), write(second, "2.csv")
        with pytest.raises(
            DataError, match="2.csv: its columns are not those of .*1.csv .'[bc]' is"
        ):
            table(*files)

    @pytest.mark.parametrize("cells", [["1", "NAN"], ["NAN", "1"]])
    def test_a_missing_number_in_a_file_of_its_own_is_one(self, write, cells):
        files = [write(f"a\n{cell}\n", f"{number}.csv") for number, cell in enumerate(cells)]
        kinds, values = table(*files)
        assert kinds == {"a": "int"}
        assert values == {"a": [None if cell == "NAN" else 1 for cell in cells]}

    def test_a_file_with_a_header_alone_adds_nothing(self, write):
        files = write("a,b\n", "1.csv"), write("a,b\n1,2\n", "2.csv")
        assert table(*files)[0] == {"a": "int", "b": "int"}

    def test_files_with_headers_alone_have_no_rows(self, write):
        with pytest.raises(DataError, match="has no rows"):
            table(write("a,b\n", "1.csv"), write("a,b\n", "2.csv"))


def test_many_batches_are_read_in_order(write):
    numbers = random.Random(0).sample(range(10**9), 300_000)
    file = write("n,text\n" + "".join(f"{number},t{number}\n" for number in numbers))
    kinds = scan_columns([file], CSVFormat(), {}).kinds
    batches = list(typed_batches([file], CSVFormat(), kinds))
    assert len(batches) > 1
    assert [n for batch in batches for n in batch.column(0).to_pylist()] == numbers
    assert batches[-1].column(1)[-1].as_py() == f"t{numbers[-1]}".encode()


def test_the_kinds_say_the_order_and_the_types_of_the_batches(write):
    file = write("a,b,c,d\n1,1.5,x,\n")
    kinds = {"d": "empty", "c": "string", "b": "float", "a": "int"}
    [batch] = typed_batches([file], CSVFormat(), kinds)
    assert batch.schema.names == ["d", "c", "b", "a"]
    assert batch.schema.types == [pa.null(), pa.binary(), pa.float32(), pa.int64()]
