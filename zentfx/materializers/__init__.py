"""Materializers: artifacts as Python objects.

TFX's standard artifact types each have a loader here, found by the type's name; an artifact of any
other type loads as the :class:`pathlib.Path` of its folder.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx import environment
from zentfx.errors import DataError, DataNotFoundError, ZenTFXError
from zentfx.records.schema import Artifact
from zentfx.stores.digests import digest_of

__all__ = ["NEED_TENSORFLOW", "load"]

# Type name to "module:function". By name, because most of them need TensorFlow.
_LOADERS = {
    "Examples": "zentfx.materializers.examples:load_examples",
    "ExampleStatistics": "zentfx.materializers.protos:load_statistics",
    "ExampleAnomalies": "zentfx.materializers.protos:load_anomalies",
    "Schema": "zentfx.materializers.protos:load_schema",
    "TransformGraph": "zentfx.materializers.models:load_transform_graph",
    "Model": "zentfx.materializers.models:load_model",
    "ModelBlessing": "zentfx.materializers.models:load_blessing",
    "ModelEvaluation": "zentfx.materializers.metrics:load_evaluation",
    "Metrics": "zentfx.materializers.metrics:load_metrics",
}

# Artifact types that nobody reads or writes without TensorFlow.
NEED_TENSORFLOW = frozenset(
    {
        "Examples",
        "ExampleStatistics",
        "ExampleAnomalies",
        "Schema",
        "TransformGraph",
        "TransformCache",
        "Model",
        "ModelRun",
    }
)


def load(type_name: str, uri: str, properties: Mapping[str, Any]) -> Any:
    """Loads an artifact.

    Args:
        type_name: Its type's name, for example ``Model``.
        uri: Where its files are.
        properties: Its recorded properties.

    Returns:
        What the type's loader makes of it; for a type without one the folder's path.

    Raises:
        DataNotFoundError: If there are no files.
        MissingDependencyError: If a package is needed that is not installed.
    """
    folder = Path(uri)
    if not folder.exists():
        raise DataNotFoundError(
            f"The files of this {type_name} are gone: there is no {uri}. Run its pipeline again."
        )
    if Artifact.MATERIALIZER in properties:
        return _load_value(type_name, folder, properties)
    if type_name not in _LOADERS:
        return folder
    module, _, function = _LOADERS[type_name].partition(":")
    return getattr(importlib.import_module(module), function)(folder, properties)


def _load_value(type_name: str, folder: Path, properties: Mapping[str, Any]) -> Any:
    from zentfx.materializers import values

    if digest_of(folder) != properties.get(Artifact.DIGEST):
        raise DataError(
            f"The files of this {type_name} are not those that were saved: {folder} was changed, "
            "or is damaged. Delete it, and then run its pipeline again: a result is reused as long "
            "as none of its files is missing."
        )
    pickled = bool(properties.get(Artifact.PICKLED))
    try:
        return values.load(
            folder, properties[Artifact.MATERIALIZER], properties[Artifact.PYTHON_TYPE]
        )
    except Exception as error:
        if not pickled:
            raise
        from zentfx.materializers import environments

        then = environments.environment_of(properties)
        now = environment.installed_versions(then)
        raise DataError(
            f"{_sentence(error)} It was pickled with {environments.described(then)}; here is "
            f"{environments.described(now)}. Load it there, or run its step again here."
        ) from error


def _sentence(error: Exception) -> str:
    if isinstance(error, ZenTFXError):
        return str(error)
    return f"A pickled value cannot be loaded here: {type(error).__name__}: {error}."
