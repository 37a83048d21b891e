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
    for kind in (bool, int, float, str, bytes):
        if isinstance(value, kind):
            return kind.__repr__(value)  # not repr: an enum's is no text of Python
    if value is None:
        return "None"
    if not isinstance(value, (list, tuple, dict, set, frozenset)):
        return None
    try:
        items = value.items() if isinstance(value, dict) else value
        parts = [constant_text(item) for item in items]
    except RecursionError:
        return None  # it holds itself
    texts = [part for part in parts if part is not None]
    if len(texts) < len(parts):
        return None
    if isinstance(value, (set, frozenset)):
        texts.sort()
    return f"{type(value).__name__}([{', '.join(texts)}])"
