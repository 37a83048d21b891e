"""Examples as tables and back, by tfx_bsl's coders, without TensorFlow."""

import math
import struct

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zentfx.materializers.examples import canonical_record, decode_examples, encode_examples

KINDS = {
    "int": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "float": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "string": (pa.binary(), st.text(st.characters(codec="utf-8")).map(str.encode)),
}


@st.composite
def batches(draw, gaps):
    """Tables with at least one column that is not empty in the first row."""
    rows = draw(st.integers(1, 6))
    arrays = {}
    for number, kind in enumerate(
        draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))
    ):
        arrow, values = KINDS[kind]
        cells = st.none() | values if gaps else values
        column = draw(st.lists(cells, min_size=rows, max_size=rows))
        arrays[f"c{number}"] = pa.array(column, arrow)
    return pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))


def cells(batch):
    """What a table holds: name to values, strings as str."""
    return {
        name: [value.decode() if isinstance(value, bytes) else value for value in column]
        for name, column in batch.to_pydict().items()
    }


@given(batches(gaps=False))
def test_a_table_without_gaps_comes_back_from_its_records(batch):
    records = encode_examples(batch)
    assert len(records) == batch.num_rows
    assert decode_examples(records).to_dict("list") == cells(batch)


@given(batches(gaps=True))
def test_a_table_with_gaps_comes_back_with_its_gaps(batch):
    frame = decode_examples(encode_examples(batch))
    assert len(frame) == batch.num_rows
    for name, values in cells(batch).items():
        for value, came in zip(values, frame[name], strict=True):
            if value is None:
                assert came is None or math.isnan(came)
            else:
                # A column of ints with gaps is one of floats, as everywhere in pandas.
                assert came == (
                    float(value) if isinstance(value, int) and None in values else value
                )


def batch_of(**columns):
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def test_no_records_are_an_empty_table():
    assert decode_examples([]).empty
    assert encode_examples(batch_of(a=pa.array([], pa.int64()))) == []


def test_columns_without_a_type_are_left_out():
    records = encode_examples(batch_of(a=pa.array([1, 2]), b=pa.nulls(2)))
    assert decode_examples(records).to_dict("list") == {"a": [1, 2]}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_column_of_gaps_alone_is_kept(kind):
    gaps = pa.array([None, None], KINDS[kind][0])
    frame = decode_examples(encode_examples(batch_of(a=pa.array([1, 2]), b=gaps)))
    assert frame["b"].isna().tolist() == [True, True]


def test_the_columns_have_the_types_that_pandas_has_for_them():
    frame = decode_examples(
        encode_examples(
            batch_of(
                i=pa.array([1]), f=pa.array([0.5], pa.float32()), s=pa.array([b"x"], pa.binary())
            )
        )
    )
    assert frame.dtypes.astype(str).to_dict() == {"i": "int64", "f": "float32", "s": "object"}


def test_bytes_that_are_no_text_stay_bytes():
    frame = decode_examples(encode_examples(batch_of(image=pa.array([b"\xff\xd8", b"ok"]))))
    assert frame["image"].tolist() == [b"\xff\xd8", b"ok"]


def test_a_slice_of_a_table_is_encoded_as_what_it_holds():
    whole = batch_of(a=pa.array([1, None, 3, 4]), b=pa.array([b"w", b"x", None, b"z"], pa.binary()))
    part = whole.slice(1, 2)
    records, expected = encode_examples(part), encode_examples(whole)[1:3]
    assert list(map(canonical_record, records)) == list(map(canonical_record, expected))


# A serialized Example by hand: every field here is number 1 or 2 and has a length before it.
def field(number, content):
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def feature(name, values):
    floats = field(2, field(1, b"".join(struct.pack("<f", value) for value in values)))
    return field(1, name.encode()) + field(2, floats)


def example(features):
    return field(1, b"".join(field(1, feature(*item)) for item in features))


short_names = st.text("abc", min_size=1, max_size=3)
features = st.dictionaries(
    short_names, st.lists(st.floats(width=32, allow_nan=False), max_size=2), max_size=4
)


@given(features, st.randoms())
def test_a_record_has_one_form_whatever_the_order_of_its_features(content, random):
    items = list(content.items())
    random.shuffle(items)
    assert canonical_record(example(items)) == canonical_record(example(content.items()))


@given(features, features)
def test_different_records_have_different_forms(left, right):
    equal = example(sorted(left.items())) == example(sorted(right.items()))
    same_form = canonical_record(example(left.items())) == canonical_record(example(right.items()))
    assert same_form == equal


def test_the_records_by_hand_are_what_the_coder_reads():
    frame = decode_examples([example([("b", [0.5]), ("a", [1.0])])])
    pd.testing.assert_frame_equal(
        frame[["a", "b"]], pd.DataFrame({"a": [1.0], "b": [0.5]}, dtype="float32")
    )


@pytest.mark.parametrize(
    "record", [b"", b"row 1", b"\x0a", b"\x0a\x05ab", b"\x0a\xff", b"\x12\x00"]
)
def test_bytes_that_are_no_record_keep_their_form(record):
    assert canonical_record(record) == record


@given(st.binary(max_size=40))
def test_no_bytes_break_it(record):
    assert isinstance(canonical_record(record), bytes)
