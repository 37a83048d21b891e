"""Labels in raw examples, where a message is to name them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.types import artifact_utils

__all__ = ["names_of_others", "raw_values", "split_files"]

_NAMED = 5


def split_files(examples: Any) -> dict[str, list[str]]:
    """The files of an Examples artifact.

    Args:
        examples: The TFX artifact.

    Returns:
        TFRecord files by split.
    """
    names = artifact_utils.decode_split_names(examples.split_names)
    folders = {name: artifact_utils.get_split_uri([examples], name) for name in names}
    return {
        name: sorted(str(file) for file in Path(folder).glob("*") if file.is_file())
        for name, folder in folders.items()
    }


def raw_values(files: Sequence[str], column: str) -> Iterator[str | float | None]:
    """The values of a raw column, row by row.

    Args:
        files: TFRecord files of ``tf.train.Example``, compressed with gzip.
        column: The column.

    Yields:
        The first value; None where the row has none, or NaN.
    """
    for record in tf.data.TFRecordDataset(sorted(files), "GZIP").as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        kind = feature[column].WhichOneof("kind") if column in feature else None
        values = getattr(feature[column], kind).value if kind else ()
        value = values[0] if values else None
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        yield None if isinstance(value, float) and math.isnan(value) else value


def names_of_others(files: Sequence[str], column: str, classes: Sequence[str] | None) -> list[str]:
    """Some values of a raw column that are none of the known classes.

    Args:
        files: TFRecord files of ``tf.train.Example``, compressed with gzip.
        column: The column.
        classes: The known classes; None where they are not recorded.

    Returns:
        The first few.
    """
    if classes is None:
        return []
    others = (item for item in raw_values(files, column) if item and item not in classes)
    found: dict[str, None] = {}
    for item in others:
        found[str(item)] = None
        if len(found) == _NAMED:
            break
    return list(found)
