"""The user's own source files: which those are, and their texts as Python loaded them.

A file may be edited while a notebook has the module loaded. What runs is then the old text, so that
is what a fingerprint must cover: the new text's would later promise results that it did not make.
Python does not keep a module's text, so it is read when a step class is made, which is while its
module, and what that imports, is being loaded.

Standard library only.
"""

from __future__ import annotations

import linecache
import sys
import sysconfig
import tokenize
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["is_installed_file", "is_users_file", "loaded_text", "note_loaded", "read_source"]

_OURS = Path(__file__).parent
_INSTALLED = tuple(
    Path(path).resolve() for path in {*map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))}
)
_PACKAGES = frozenset({"site-packages", "dist-packages"})

# By module: what it was loaded from (reloading makes another object), and the text then.
_loaded: dict[str, tuple[Any, str]] = {}
_passed_over: set[str] = set()


def is_installed_file(file: Path) -> bool:
    """Whether a source file is one of Python or of an installed package.

    Args:
        file: The file.
    """
    file = file.resolve()
    return bool(_PACKAGES & set(file.parts)) or any(
        file.is_relative_to(folder) for folder in _INSTALLED
    )


def is_users_file(name: str) -> bool:
    """Whether a source file is the user's own: not of Python, an installed package, or zentfx.

    Args:
        name: The file's name as code objects have it; that of a notebook's cell, too.
    """
    if name.startswith("<frozen") or (name.startswith("<") and not linecache.getlines(name)):
        return False
    file = Path(name)
    return not is_installed_file(file) and not file.is_relative_to(_OURS)


def read_source(file: Path) -> str:
    """Reads a source file in the encoding that it names.

    Args:
        file: The file.

    Returns:
        The text.
    """
    with tokenize.open(file) as stream:
        return stream.read()


def note_loaded() -> None:
    """Keeps the texts of the user's modules that were loaded since the last call."""
    for name, module in list(sys.modules.items()):
        if name not in _loaded and name not in _passed_over:
            file = getattr(module, "__file__", None) or ""
            if file.endswith(".py") and is_users_file(file) and Path(file).is_file():
                _note(name, module, Path(file))
            else:
                _passed_over.add(name)


def loaded_text(name: str, file: Path) -> str:
    """The text that Python loaded a module from.

    Args:
        name: The module's name.
        file: Its source file.

    Returns:
        The text; the file's, for a module that is not loaded.
    """
    module = sys.modules.get(name)
    if module is None:
        return read_source(file)
    known = _loaded.get(name)
    if known is None or known[0] is not _origin(module):
        return _note(name, module, file)
    return known[1]


def _note(name: str, module: ModuleType, file: Path) -> str:
    text = read_source(file)
    _loaded[name] = (_origin(module), text)
    return text


def _origin(module: ModuleType) -> Any:
    spec = getattr(module, "__spec__", None)
    return module if spec is None else spec
