"""What is said of a step that raised."""

from __future__ import annotations

import contextlib
import linecache
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zentfx.parameters import Secret
from zentfx.source_code.project_files import is_users_file

__all__ = ["ExecutorFailedError", "Failure", "masked", "secret_values"]


@dataclass(frozen=True)
class Failure:
    """An exception of a step, for people.

    Attributes:
        summary: One line: the exception's type, the first line of its text, and where it is from.
        text: The user's own line, if it went through one, and the exception's text.
    """

    summary: str
    text: str

    @classmethod
    def of(cls, error: BaseException, arguments: Mapping[str, Any]) -> Failure:
        """Describes an exception.

        Args:
            error: The exception.
            arguments: The step's, derived ones included; values of secrets among them are left out.

        Returns:
            The description.
        """
        name = type(error).__name__
        what = "".join(traceback.format_exception_only(error)).strip()
        what = what.removeprefix(f"{type(error).__module__}.").removesuffix(": ") or name
        what = masked(what, secret_values(arguments))
        # A file name's stray bytes, say: neither MLMD nor a log holds half a character.
        what = what.encode("utf-8", "backslashreplace").decode()
        first = what.splitlines()[0]
        place = _users_place(error)
        if place is None:
            return cls(first, what)
        file, line, function = place
        source = linecache.getline(file, line).strip()
        where = f"{file}:{line}, in {function}"
        return cls(
            f"{first} ({Path(file).name}:{line})",
            f"{where}\n    {source}\n{what}" if source else f"{where}\n{what}",
        )


class ExecutorFailedError(Exception):
    """An executor raised.

    Args:
        failure: What is said of it.
        cause: Gives what it raised. That may take an import: only the main thread calls it.
    """

    def __init__(self, failure: Failure, cause: Callable[[], BaseException]) -> None:
        super().__init__(failure.text)
        self.failure = failure
        self.cause = cause


def _users_place(error: BaseException) -> tuple[str, int, str] | None:
    """The innermost place in the user's own code that an exception, or its cause, came through."""
    for part in _chain(error):
        frames = [
            (frame.f_code.co_filename, line, frame.f_code.co_name)
            for frame, line in traceback.walk_tb(part.__traceback__)
        ]
        for place in reversed(frames):
            if is_users_file(place[0]):
                return place
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        # Not __context__: a run may have been started while another exception was handled.
        following = following.__cause__


def secret_values(arguments: Mapping[str, Any]) -> dict[str, str]:
    """The values of the secrets among a step's arguments.

    Args:
        arguments: The arguments, derived ones included.

    Returns:
        By value the name of its variable; those that are not set are missing.
    """
    values = {}
    for secret in _secrets(arguments):
        with contextlib.suppress(ValueError):
            values[secret.value()] = secret.variable
    return values


def masked(text: str, secrets: Mapping[str, str]) -> str:
    """Takes secrets out of a text.

    Args:
        text: The text.
        secrets: What :func:`secret_values` returned.

    Returns:
        The text, with ``<VARIABLE>`` in the place of each value, also where it stands as Python
        would print it.
    """
    for value, variable in secrets.items():
        for form in {value, repr(value)[1:-1]} - {""}:
            text = text.replace(form, f"<{variable}>")
    return text


def _secrets(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _secrets(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _secrets(part)
