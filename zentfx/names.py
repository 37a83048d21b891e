"""How long names may be.

Names become parts of paths, which file systems limit to 255 bytes, and names in MLMD, of which
MySQL keeps 255. So they are held against that before a run is recorded.

Standard library only.
"""

from __future__ import annotations

from zentfx.errors import ParameterError, ZenTFXError

__all__ = ["LONGEST_NAME", "check_length", "length"]

LONGEST_NAME = 255  # bytes


def length(name: str) -> int:
    """How long a name is where it is kept: bytes of UTF-8."""
    return len(name.encode(errors="surrogatepass"))


def check_length(
    name: str, what: str, error: type[ZenTFXError] = ParameterError, *, beside: int = 0
) -> None:
    """Refuses a name that is too long to be kept.

    Args:
        name: The name.
        what: What it is the name of, to begin a sentence with.
        error: The error to raise.
        beside: Bytes that are put before or behind it where it is kept.

    Raises:
        ZenTFXError: If it is too long; of the given class.
    """
    limit = LONGEST_NAME - beside
    if length(name) > limit:
        shown = name if len(name) <= 40 else f"{name[:40]}…"
        raise error(
            f"{what} must have at most {limit} bytes in UTF-8, so that file systems and databases "
            f"can hold it; {shown!r} has {length(name)}. Shorten it."
        )
