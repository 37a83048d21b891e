"""Input files of a step: which there are, and the digests by which they count for the cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zentfx.errors import DataError, DataNotFoundError
from zentfx.steps.base import BaseStep
from zentfx.stores.digests import digest_of
from zentfx.stores.memos import Memos

__all__ = ["AWAITED", "input_digests"]

# In the place of a digest where nothing is, yet or any more. No result is ever found under it: a
# step fails whose files are not what its digests say.
AWAITED = f"sha256:{0:064}"


def input_digests(
    step: BaseStep, memos: Memos | None = None, *, awaited: bool = False
) -> dict[str, str]:
    """Computes the digest of the content of each path among a step's parameters.

    Args:
        step: The step.
        memos: Digests of files that were read before; None to read all.
        awaited: Whether there need not be anything yet; the digest is ``AWAITED`` then.

    Returns:
        Digests by where the path stands: ``path``, ``files[0]``, ``derived.path``.

    Raises:
        DataNotFoundError: If there is nothing at a path.
        DataError: If it cannot be read.
    """
    digests = {}
    for prefix, values in (("", step.arguments), ("derived.", step.derived)):
        for name, value in values.items():
            for where, path in _paths_in(value, f"{prefix}{name}"):
                who = f"{type(step).__name__}: {where}"
                try:
                    digests[where] = digest_of(path, step.content_files(path), memos)
                except DataNotFoundError as error:
                    if awaited:
                        digests[where] = AWAITED
                        continue
                    raise DataNotFoundError(f"{who}: {error}") from error
                except OSError as error:
                    raise DataError(f"{who}: {path} cannot be read: {error}") from error
    return digests


def _paths_in(value: Any, where: str) -> Iterator[tuple[str, Path]]:
    if isinstance(value, Path):
        yield where, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _paths_in(part, f"{where}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield from _paths_in(part, f"{where}[{index}]")
