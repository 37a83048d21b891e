"""Warns of files that steps name by a text: an edit of the file would go unnoticed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from zentfx.source_code.named_files import NamedFile, files_in_arguments, files_in_code
from zentfx.source_code.project_files import is_ours
from zentfx.steps.node import Node
from zentfx.warn import warn

__all__ = ["warn_of_files"]

_LATER = "When the file changes, an earlier result is reused."
# What was said: runs in a loop would say it again and again.
_told: set[tuple[str, str, str]] = set()


def warn_of_files(nodes: Sequence[Node]) -> None:
    """Warns of each file that a step of the user's names by a text, once in a process.

    Args:
        nodes: The steps.
    """
    in_code: dict[type, list[NamedFile]] = {}  # many steps may be of one class
    for node in nodes:
        if is_ours(type(node.step).__module__) or not node.enable_cache:
            continue
        for file, message in _files_of(node, in_code):
            key = node.name, file.name, os.path.abspath(file.text)  # noqa: PTH100
            if key not in _told:
                _told.add(key)
                warn(f"Step {node.name!r}: {message}")


def _files_of(node: Node, in_code: dict[type, list[NamedFile]]) -> Iterator[tuple[NamedFile, str]]:
    """The files, each with what is said of it."""
    cls = type(node.step)
    given = {key: item for key, item in node.parameters.items() if key not in node.step.unkeyed}
    arguments = files_in_arguments(cls, given)
    for file in arguments:
        what = f"its argument {file.name!r} is a str that names a file, {file.text!r}."
        remedy = "Annotate the parameter as pathlib.Path: then the file's content counts."
        yield file, f"{what} {_LATER} {remedy}"
    if node.step.options.code_version is not None:
        return
    if cls not in in_code:
        in_code[cls] = files_in_code(cls)
    known = {file.text for file in arguments}
    remedy = "Make it a parameter, annotated as pathlib.Path: then the file's content counts."
    for file in in_code[cls]:
        if file.text not in known:
            where = f" ({file.name})" if file.name else ""
            yield file, f"its code names a file, {file.text!r}{where}. {_LATER} {remedy}"
