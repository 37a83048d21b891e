"""How values become MLMD properties, exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx.parameters import canonical_json, encode
from zentfx.records.models import Annotations
from zentfx.records.schema import Artifact, Run

__all__ = [
    "CHUNK",
    "EXACT",
    "annotation_properties",
    "as_property",
    "chunked",
    "cut",
    "exact_metric",
    "joined",
    "metric_properties",
    "metric_values",
]

# Bytes. PostgreSQL's index rows allow about 2,600; the mark below has to fit too.
CHUNK = 2000


def as_property(value: Any, root: Path | None = None) -> int | float | str | bool | None:
    """The property under which one parameter shows in the store, for anyone who reads it.

    It is for people and foreign tools; the exact values are in the recorded text.

    Args:
        value: A bound value.
        root: The repository's folder, to which paths inside it are relative.

    Returns:
        int, float, bool and str as such, a path as its text, lists and dicts as canonical JSON.
        None (no property) for None. Ints beyond 64 bits are text. Text ends at a NUL character, as
        it would in the store, and is cut at 2,000 bytes, both with a mark.
    """
    if isinstance(value, Path):
        return cut(str(encode(value, root)["$path"]))
    value = encode(value, root)
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, str):
        return cut(value)
    return cut(canonical_json(value))


def cut(text: str) -> str:
    """Cuts a text to what every store can hold.

    Args:
        text: Any text.

    Returns:
        It, or as much of it as fits 2,000 bytes and stands before a NUL character, with a mark.
    """
    # Lone surrogates (in names of files, say) MLMD refuses.
    text = text.encode(errors="replace").decode()
    shown = text.partition("\0")[0]
    if shown == text and len(text.encode()) <= CHUNK:
        return text
    mark = f"…[cut: {len(text)} characters]"
    return shown.encode()[: CHUNK - len(mark.encode())].decode(errors="ignore") + mark


# Beside each metric's double, which stores cut (SQLite's MLMD to 6 decimals): its exact text.
EXACT = "_text"
# Numbers that TFX notes on artifacts.
_NO_METRICS = frozenset({"is_external", "span", "version"})


def metric_properties(values: Mapping[str, float]) -> dict[str, float | str]:
    """The properties under which metrics are recorded on their artifact.

    Args:
        values: Value by metric.

    Returns:
        For each metric a double, for anyone who reads the store (unless it is not finite, which
        MLMD refuses), and its exact text.
    """
    properties: dict[str, float | str] = {}
    for name, value in values.items():
        properties[f"{name}{EXACT}"] = repr(float(value))
        if math.isfinite(value):
            properties[name] = float(value)
    return properties


def metric_values(properties: Mapping[str, Any]) -> dict[str, float]:
    """The metrics among the properties of an artifact, exactly.

    Args:
        properties: What :func:`metric_properties` made, among others; or what others have written
            on a Metrics artifact.

    Returns:
        Value by metric, by name. Where there are no exact texts, all numbers are metrics.
    """
    texts = {
        name[: -len(EXACT)]: exact_metric(text)
        for name, text in properties.items()
        if name.endswith(EXACT) and isinstance(text, str)
    }
    if texts or Artifact.MANIFEST in properties:
        return {name: value for name, value in sorted(texts.items()) if value is not None}
    return {
        name: float(value)
        for name, value in sorted(properties.items())
        if type(value) in (int, float) and name not in _NO_METRICS and not name.startswith("__")
    }


def exact_metric(text: str) -> float | None:
    """The value of a metric's exact text; None where somebody else wrote something else."""
    try:
        return float(text)
    except ValueError:
        return None


def annotation_properties(annotations: Annotations) -> Mapping[str, str]:
    """Custom properties of a run's context that say what is said of it."""
    names = Run
    texts = {
        names.PROJECT: annotations.project,
        names.EXPERIMENT: annotations.experiment,
        names.OWNER: annotations.owner,
        names.CHANGELIST: annotations.changelist,
    }
    properties = {name: text for name, text in texts.items() if text is not None}
    if annotations.tags:
        properties |= chunked(names.TAGS, canonical_json(list(annotations.tags)))
    if annotations.note is not None:
        properties |= chunked(names.NOTE, annotations.note)
    return properties


def chunked(name: str, text: str) -> dict[str, str]:
    """Cuts a long text into properties.

    Args:
        name: The first property's name; the others are ``<name>_1``, ``<name>_2``, ….
        text: Text that MLMD can hold: without NUL characters and lone surrogates.

    Returns:
        The properties.
    """
    # Bytes count; of ASCII text, as canonical JSON is, each character is one.
    size = CHUNK if text.isascii() else CHUNK // 4
    parts = [text[start : start + size] for start in range(0, len(text), size)] or [""]
    return {name if index == 0 else f"{name}_{index}": part for index, part in enumerate(parts)}


def joined(name: str, properties: Mapping[str, Any]) -> str | None:
    """Puts the chunks of a text together again.

    Args:
        name: The first property's name.
        properties: All properties.

    Returns:
        The text, or None if there is none.
    """
    if name not in properties:
        return None
    parts = [properties[name]]
    # Empty ones were part of a longer text before.
    while following := properties.get(f"{name}_{len(parts)}"):
        parts.append(following)
    return "".join(parts)
