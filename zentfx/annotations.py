"""What a user says of runs, and what holds for those that begin within a ``with`` block."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from zentfx.errors import ParameterTypeError
from zentfx.names import check_length
from zentfx.records.models import NO_ANNOTATIONS, Annotations

__all__ = ["active", "annotating", "changed", "checked_text", "with_tags"]

# By the repository's folder.
_active: ContextVar[dict[Path, Annotations] | None] = ContextVar("zentfx_annotations", default=None)


def active(root: Path) -> Annotations:
    """What holds for runs that begin here and now.

    Args:
        root: The repository's folder.

    Returns:
        The annotations.
    """
    return (_active.get() or {}).get(root, NO_ANNOTATIONS)


@contextlib.contextmanager
def annotating(root: Path, **changes: Any) -> Iterator[None]:
    """Within it, runs of a repository are annotated; blocks within one another add up.

    It holds for this thread, and not for others that are started meanwhile.

    Args:
        root: The repository's folder.
        **changes: See :func:`changed`.
    """
    before = active(root)
    now = changed(before, **changes)
    now = dataclasses.replace(now, tags=tuple(sorted({*before.tags, *now.tags})))
    token = _active.set({**(_active.get() or {}), root: now})
    try:
        yield
    finally:
        _active.reset(token)


def changed(annotations: Annotations, **changes: Any) -> Annotations:
    """Annotations with some of them changed.

    Args:
        annotations: Those before.
        **changes: By name; None takes one away.

    Returns:
        The new ones.

    Raises:
        ParameterTypeError: If one is no text, or empty, or too long for a name.
    """
    checked: dict[str, Any] = {
        name: _tags(value)
        if name == "tags"
        else None
        if value is None
        else checked_text(name, value)
        for name, value in changes.items()
    }
    return dataclasses.replace(annotations, **checked)


def with_tags(
    annotations: Annotations,
    changes: Mapping[str, Any],
    add: Iterable[str],
    remove: Iterable[str],
) -> dict[str, Any]:
    """Changes of annotations, with those of the tags among them.

    Args:
        annotations: Those before.
        changes: Changes of others.
        add: Tags to add.
        remove: Tags to take away; those that are not there are none to be taken.

    Returns:
        Arguments for :func:`changed`.
    """
    if not add and not remove:
        return dict(changes)
    kept = [tag for tag in annotations.tags if tag not in remove]
    return {**changes, "tags": [*kept, *add]}


def _tags(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ParameterTypeError(f"tags must be several texts; {value!r} came: [{value!r}]?")
    return tuple(sorted({checked_text("tag", item) for item in value}))


def checked_text(name: str, value: Any) -> str:
    """Makes sure that something can be said of a run or an artifact.

    Args:
        name: What it is: ``note``, which may be long, or something that names a context.
        value: What is said.

    Returns:
        It.

    Raises:
        ParameterTypeError: If it is no text, or empty, or too long for a name, or has characters
            that MLMD cannot hold.
    """
    if not isinstance(value, str):
        raise ParameterTypeError(f"{name} must be a text; {value!r} came.")
    if not value.strip():
        raise ParameterTypeError(f"{name} must not be empty.")
    if "\0" in value or value.encode(errors="replace").decode() != value:
        raise ParameterTypeError(f"{name} must be plain text, without NUL; {value!r} came.")
    if name != "note":
        check_length(value, name, ParameterTypeError)
    return value
