"""``tf.train.Example`` records as tables and back, by tfx_bsl's coders."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zentfx.materializers.needs import need

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["canonical_record", "decode_examples", "encode_examples", "load_examples"]


def load_examples(folder: Path, properties: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Loads the splits of an Examples artifact.

    Args:
        folder: Its folder, with one ``Split-<name>`` folder a split.
        properties: Its properties; ``split_names`` lists the splits.

    Returns:
        A DataFrame by split. A column with at most one value a row holds scalars (strings as str,
        or bytes where they are not all UTF-8; gaps as NaN or None), any other lists.
    """
    tf = need("tensorflow", "load Examples")
    splits = {}
    for split in json.loads(properties.get("split_names") or "[]"):
        files = sorted(
            str(item) for item in (folder / f"Split-{split}").glob("*") if item.is_file()
        )
        records = tf.data.TFRecordDataset(files, compression_type="GZIP")
        splits[split] = decode_examples(list(records.as_numpy_iterator()))
    return splits


def decode_examples(records: Sequence[bytes]) -> pd.DataFrame:
    """Decodes serialized ``tf.train.Example`` records.

    Args:
        records: The records.

    Returns:
        One row a record; see :func:`load_examples`.
    """
    import pandas as pd

    coder = need("tfx_bsl.coders.example_coder", "load Examples")
    if not records:
        return pd.DataFrame()
    batch = coder.ExamplesToRecordBatchDecoder().DecodeBatch(list(records))
    return pd.DataFrame(
        {name: _column(batch.column(i)) for i, name in enumerate(batch.schema.names)}
    )


def _column(lists: pa.Array) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(lists.type):
        return [None] * len(lists)
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    if pc.max(lengths).as_py() > 1:
        return lists.to_pylist()
    if pc.min(lengths).as_py() == 1:
        flat = lists.flatten()
    else:  # an index past the values is a gap
        starts = pc.subtract(pc.cumulative_sum(lengths), lengths)
        present = pc.equal(lengths, 1)
        flat = lists.flatten().take(pc.if_else(present, starts, pa.scalar(None, starts.type)))
    if pa.types.is_binary(flat.type) or pa.types.is_large_binary(flat.type):
        with contextlib.suppress(pa.ArrowInvalid):  # then they are bytes, such as images
            flat = flat.cast(
                pa.large_string() if pa.types.is_large_binary(flat.type) else pa.string()
            )
    return flat.to_pandas()


def encode_examples(batch: pa.RecordBatch) -> list[bytes]:
    """Encodes a table as serialized ``tf.train.Example`` records.

    Args:
        batch: Columns of int64, float32 or binary, null where a value is missing. Columns of type
            null are left out.

    Returns:
        One record a row.
    """
    import pyarrow as pa

    coder = need("tfx_bsl.coders.example_coder", "write Examples")
    columns = {
        name: _as_lists(batch.column(i))
        for i, name in enumerate(batch.schema.names)
        if not pa.types.is_null(batch.schema.field(i).type)
    }
    lists = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    return list(coder.RecordBatchToExamplesEncoder().encode(lists))


def _as_lists(column: pa.Array) -> pa.Array:
    """A column of values as one of lists: one value each, none for null."""
    import numpy as np
    import pyarrow as pa

    offsets = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(column.is_valid().to_numpy(zero_copy_only=False), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), column.drop_null())


def canonical_record(record: bytes) -> bytes:
    """Orders the features of a serialized ``tf.train.Example``.

    Protobuf writes the features, a map, in an order that differs between processes; equal rows are
    equal bytes only in this form. It works on the wire format, because parsing and writing the
    message again costs ten times as much.

    Args:
        record: A serialized example.

    Returns:
        The encoded features, sorted, each after its length. Bytes of another form as they are.
    """
    try:
        features = [entry for part in _parts(record) for entry in _parts(part)]
    except (ValueError, IndexError):
        return record
    return b"".join(len(entry).to_bytes(4, "big") + entry for entry in sorted(features))


def _parts(message: bytes) -> list[bytes]:
    """The values of a message that has nothing but length-delimited fields of number 1."""
    parts = []
    position = 0
    while position < len(message):
        if message[position] != 0x0A:  # field 1, length-delimited
            raise ValueError("another field")
        position += 1
        length = shift = 0
        while True:  # a varint: seven bits a byte, the lowest first
            byte = message[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        end = position + length
        if end > len(message):
            raise ValueError("cut short")
        parts.append(message[position:end])
        position = end
    return parts
