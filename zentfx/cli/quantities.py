"""Ages and sizes, as they are typed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import click

__all__ = ["AGE", "SIZE", "size_text"]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_BYTES = {
    "": 1,
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGTP", start=1)},
    **{f"{letter}IB": 1024**power for power, letter in enumerate("KMGTP", start=1)},
}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)")


class _Age(click.ParamType):
    """A time span like ``30d``, or a date or time in ISO's form."""

    name = "age"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta | datetime:
        """The span, or the time; a time without a zone is local."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]  # converted already
        found = _QUANTITY.fullmatch(value.strip())
        try:
            if found and found[2].lower() in _SECONDS:
                span = timedelta(seconds=float(found[1]) * _SECONDS[found[2].lower()])
                datetime.now().astimezone() - span  # there was such a time
                return span
            return datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r}: expected a time span like 30d, 12h, 90m, or a date like 2026-01-31.",
                param,
                ctx,
            )


class _Size(click.ParamType):
    """A number of bytes, like ``100MB``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The bytes."""
        if isinstance(value, int):
            return value
        found = _QUANTITY.fullmatch(value.strip())
        if not found or found[2].upper() not in _BYTES:
            self.fail(f"{value!r}: expected a size like 100MB, 1.5GiB, 4096.", param, ctx)
        return int(float(found[1]) * _BYTES[found[2].upper()])


AGE = _Age()
SIZE = _Size()


def size_text(size: int | None) -> str:
    """A size as people read it.

    Args:
        size: Bytes; None where it is not known.

    Returns:
        For example ``1.2 MB``.
    """
    if size is None:
        return "unknown"
    from rich.filesize import decimal

    return decimal(size)
