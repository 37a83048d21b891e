"""Texts of others, made safe to print."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """A text with its control characters escaped: a name must not break a line, or a terminal.

    Args:
        text: Any text.

    Returns:
        The text in one line.
    """
    if text.isprintable():
        return text
    return "".join(
        part if part.isprintable() else part.encode("unicode_escape").decode() for part in text
    )
