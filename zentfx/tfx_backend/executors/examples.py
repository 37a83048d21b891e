"""The layout of Examples artifacts that TFX's components read."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from zentfx.errors import DataError

__all__ = ["check_not_empty", "describe", "write_split"]


def write_split(uri: str, split: str) -> Any:
    """Beam's sink for the records of one split.

    Args:
        uri: The artifact's folder.
        split: The split's name.

    Returns:
        A transform that writes serialized examples.
    """
    return beam.io.WriteToTFRecord(f"{uri}/Split-{split}/data_tfrecord", file_name_suffix=".gz")


def check_not_empty(uri: str, splits: list[str]) -> None:
    """Refuses splits without rows: what reads them fails later, and says less.

    Args:
        uri: The artifact's folder, with what :func:`write_split` wrote.
        splits: Its splits.

    Raises:
        DataError: If one is empty.
    """
    for split in splits:
        [match] = FileSystems.match([f"{uri}/Split-{split}/*"])
        if not any(_has_records(file.path) for file in match.metadata_list):
            raise DataError(
                f"The split {split!r} got no rows. Give it a larger share, or take more data."
            )


def _has_records(file: str) -> bool:
    with FileSystems.open(file) as stream:
        return bool(stream.read(1))


def describe(examples: Any, splits: list[str]) -> None:
    """Sets the properties that TFX's components expect.

    Args:
        examples: The Examples artifact.
        splits: Its splits.
    """
    examples.split_names = artifact_utils.encode_split_names(splits)
    examples.set_int_custom_property("span", 0)
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
