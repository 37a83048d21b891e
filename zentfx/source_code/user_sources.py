"""The texts of the user's own modules as Python loaded them.

A file may be edited while a notebook has the module loaded. What runs is then the old text, so that
is what a fingerprint must cover: the new text's would later promise results that it did not make.
Python does not keep a module's text, so it is read when a step class is made, which is while its
module, and what that imports, is being loaded.

Standard library only.
"""

from __future__ import annotations

import contextlib
import sys
import tokenize
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from zentfx.errors import StepDefinitionError
from zentfx.source_code.functions import functions_in, instructions, instructions_by_name
from zentfx.source_code.project_files import is_users_file

__all__ = ["ModuleText", "loaded_text", "loaded_texts", "note_loaded", "read_source"]


@dataclass(frozen=True)
class ModuleText:
    """A module of the user's as it was loaded.

    Attributes:
        text: Its source text; None for a package without a file, a namespace.
        file: Its source file.
        folders: Where its modules are, if it is a package.
    """

    text: str | None
    file: str
    folders: tuple[str, ...] | None


# By module: what it was loaded from (reloading makes another object), and the text then.
_loaded: dict[str, tuple[Any, str]] = {}
_passed_over: set[str] = set()


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
    """Keeps the texts of the user's modules that were loaded (again) since the last call."""
    for name, module in list(sys.modules.items()):
        known = _loaded.get(name)
        if name not in _passed_over and (known is None or known[0] is not _origin(module)):
            # Not getattr: packages load parts of themselves on that.
            file = vars(module).get("__file__") if isinstance(module, ModuleType) else None
            if not isinstance(file, str) or not file.endswith(".py") or not is_users_file(file):
                _passed_over.add(name)
                continue
            # A file that is gone or cannot be read is no matter of a step that does not need it.
            with contextlib.suppress(OSError, SyntaxError, UnicodeDecodeError, StepDefinitionError):
                _note(name, module, Path(file))


def loaded_text(name: str, file: Path) -> str:
    """The text that Python loaded a module from.

    Args:
        name: The module's name.
        file: Its source file.

    Returns:
        The text; the file's, for a module that is not loaded.

    Raises:
        StepDefinitionError: If the file was edited before this process first looked at it, so that
            what was loaded is not known.
        OSError: If the file cannot be read.
        SyntaxError: If it is not in the encoding that it names.
    """
    module = sys.modules.get(name)
    if module is None:
        return read_source(file)
    known = _loaded.get(name)
    if known is None or known[0] is not _origin(module):
        return _note(name, module, file)
    return known[1]


def loaded_texts() -> dict[str, ModuleText]:
    """The texts of all modules of the user's that are loaded.

    Returns:
        Texts by module, and the namespaces above them. ``__main__`` is left out, which is another
        module in another process.
    """
    note_loaded()
    texts = {}
    for name, (origin, text) in list(_loaded.items()):
        module = sys.modules.get(name)
        if module is None or name == "__main__" or _origin(module) is not origin:
            continue
        texts[name] = ModuleText(text, str(module.__file__), _folders(module))
        while name := name.rpartition(".")[0]:
            above = sys.modules.get(name)
            if above is not None and getattr(above, "__file__", None) is None:
                texts[name] = ModuleText(None, "", _folders(above))
    return texts


def _folders(module: ModuleType) -> tuple[str, ...] | None:
    path = getattr(module, "__path__", None)
    return None if path is None else tuple(map(str, path))


def _note(name: str, module: ModuleType, file: Path) -> str:
    text = read_source(file)
    if not _was_loaded_from(module, text, file):
        raise StepDefinitionError(
            f"The file of the module {name} was edited after the module was loaded, and before "
            f"zentfx saw it, so what was loaded is not known. Restart Python, or "
            f"importlib.reload({name})."
        )
    _loaded[name] = (_origin(module), text)
    return text


def _was_loaded_from(module: ModuleType, text: str, file: Path) -> bool:
    """Whether the functions of a module are those of a text, as far as can be said."""
    # Other loaders (pytest's, say) may have compiled another tree than the text's.
    if type(getattr(module.__spec__, "loader", None)) is not SourceFileLoader:
        return True
    try:
        written = instructions_by_name(compile(text, str(file), "exec", dont_inherit=True))
    except SyntaxError:
        return False
    owners = [module, *(item for item in vars(module).values() if isinstance(item, type))]
    for function in (function for owner in owners for function in functions_in(owner)):
        code, name = function.__code__, function.__qualname__
        if function.__module__ != module.__name__ or code.co_filename != str(file):
            continue
        if name in written and instructions(code) not in written[name]:
            return False
    return True


def _origin(module: ModuleType) -> Any:
    spec = getattr(module, "__spec__", None)
    return module if spec is None else spec
