"""Plain constants as text.

Standard library only.
"""

from __future__ import annotations

from typing import Any

__all__ = ["constant_text"]


def constant_text(value: Any) -> str | None:
    """Writes a plain constant so that the text is equal in every process.

    Args:
        value: Any value.

    Returns:
        The text; None for what is no number, text, bytes, None, or collection of such.
    """
    try:
        return _text(value)
    except Exception:  # noqa: BLE001 - it holds itself, or is of a class that is made up
        return None


def _text(value: Any) -> str | None:
    for kind in (bool, int, float, str, bytes):
        if isinstance(value, kind):
            return kind.__repr__(value)  # not repr: an enum's is no text of Python
    if value is None:
        return "None"
    if not isinstance(value, (list, tuple, dict, set, frozenset)):
        return None
    parts = [_text(item) for item in (value.items() if isinstance(value, dict) else value)]
    texts = [part for part in parts if part is not None]
    if len(texts) < len(parts):
        return None
    if isinstance(value, (set, frozenset)):
        texts.sort()
    return f"{type(value).__name__}([{', '.join(texts)}])"
