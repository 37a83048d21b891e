"""TensorFlow Data Validation's artifacts, as the protos of tensorflow_metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx.materializers.needs import need

__all__ = ["load_anomalies", "load_schema", "load_statistics"]


def load_statistics(folder: Path, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Loads statistics: a ``DatasetFeatureStatisticsList`` by split."""
    protos = need("tensorflow_metadata.proto.v0.statistics_pb2", "load ExampleStatistics")
    return _by_split(folder, properties, "FeatureStats.pb", protos.DatasetFeatureStatisticsList)


def load_anomalies(folder: Path, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Loads what a validation found: an ``Anomalies`` by split."""
    protos = need("tensorflow_metadata.proto.v0.anomalies_pb2", "load ExampleAnomalies")
    return _by_split(folder, properties, "SchemaDiff.pb", protos.Anomalies)


def load_schema(folder: Path, properties: Mapping[str, Any]) -> Any:
    """Loads a schema: a ``Schema``."""
    protos = need("tensorflow_metadata.proto.v0.schema_pb2", "load a Schema")
    text_format = need("google.protobuf.text_format", "load a Schema")
    text = (folder / "schema.pbtxt").read_text(encoding="utf-8")
    return text_format.Parse(text, protos.Schema())


def _by_split(folder: Path, properties: Mapping[str, Any], file: str, proto: Any) -> dict[str, Any]:
    splits = json.loads(properties.get("split_names") or "[]")
    return {
        split: proto.FromString((folder / f"Split-{split}" / file).read_bytes()) for split in splits
    }
