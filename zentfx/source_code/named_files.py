"""Files that a step's code names by a text, so that their content does not count for the cache.

A heuristic, for a warning: text that looks like a file's name, and is one of a file that is there,
unless something shows that the step writes to it.

Standard library only.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import CodeType, FunctionType, ModuleType
from typing import Any

from zentfx.source_code.functions import functions_in, unwrapped
from zentfx.source_code.project_files import is_of_others

__all__ = ["NamedFile", "files_in_arguments", "files_in_code"]

_LONGEST = 1024  # characters
_MOST = 100  # items of a collection that are looked at
_SUFFIX = re.compile(r".*\.[A-Za-z0-9]{1,10}")
_OF_PROGRAMS = (".log", ".lock", ".pid")  # what programs write, and nobody reads as data
# Words in names of functions that write, and of parameters that say where to.
_WRITING = frozenset(
    "append checkpoint delete download dump export handler imsave imwrite log makedirs mkdir move "
    "remove rename replace save savefig savetxt savez store to tofile touch unlink urlretrieve "
    "write writelines writer".split()
)
_COPYING = frozenset("copy copy2 copyfile copytree symlink".split())
_OPENING = frozenset(
    "open BZ2File File GFile GzipFile HDFStore LZMAFile TarFile ZipFile memmap".split()
)
_PLACES = frozenset(
    "dest destination dst export log out output outputs report result results save target to "
    "write".split()
)
_WRITE_MODE = re.compile(r"[rb]*[wax][bt]*\+?[bt]*|r[bt]*\+[bt]*")
# What makes a path of a path.
_OF_PATHS = frozenset(
    "Path PurePath abspath absolute expanduser format fspath join joinpath open resolve str "
    "with_name with_suffix".split()
)


@dataclass(frozen=True)
class NamedFile:
    """A file that a step is likely to read, and that is named by a text.

    Attributes:
        name: The argument or the global name that has the text; empty for a literal.
        text: The text.
    """

    name: str
    text: str


def files_in_arguments(cls: type, arguments: Mapping[str, Any]) -> list[NamedFile]:
    """Finds texts among the arguments of a step that name files.

    Args:
        cls: The step's class.
        arguments: Its arguments.

    Returns:
        The files, one for each text.
    """
    found = {
        text: name
        for name, value in arguments.items()
        if _PLACES.isdisjoint(_words(name))
        for text in _texts(value, paths=False)
    }
    return _not_written(found, _Reached(cls)) if found else []


def files_in_code(cls: type) -> list[NamedFile]:
    """Finds texts that name files in the code of a step and what that uses.

    Args:
        cls: The step's class.

    Returns:
        The files, one for each text.
    """
    reached = _Reached(cls)
    return _not_written(reached.texts, reached) if reached.texts else []


def _not_written(texts: Mapping[str, str], reached: _Reached) -> list[NamedFile]:
    written = _written(reached.functions)
    return [
        NamedFile(name, text)
        for text, name in texts.items()
        if name not in written and repr(text) not in written
    ]


def _texts(value: Any, *, paths: bool = True, depth: int = 0) -> Iterator[str]:
    """The texts in a value that name files which are there."""
    # Others than pathlib's may do what they like when they are asked for their name.
    if isinstance(value, str) or (paths and isinstance(value, PurePath)):
        text = str(value)
        if _is_file(text):
            yield text
    elif type(value) in (list, tuple, set, frozenset, dict) and depth < 2:
        items = value.values() if isinstance(value, dict) else value
        for _, item in zip(range(_MOST), items, strict=False):
            yield from _texts(item, paths=paths, depth=depth + 1)


def _is_file(text: str) -> bool:
    if len(text) > _LONGEST or "\n" in text or text.endswith(_OF_PROGRAMS):
        return False
    if os.sep not in text and not _SUFFIX.fullmatch(text):
        return False
    try:
        return os.path.isfile(os.path.expanduser(text))  # noqa: PTH111, PTH113 - most are no path
    except ValueError:  # with a NUL
        return False


class _Reached:
    """The user's functions that a step uses, and the texts in them that name files.

    Attributes:
        functions: The functions.
        texts: By text, the name that has it; empty for a literal.

    Args:
        cls: The step's class.
    """

    def __init__(self, cls: type) -> None:
        self.functions: list[FunctionType] = []
        self.texts: dict[str, str] = {}
        function = vars(cls).get("source_function")
        # A step that is a function keeps it there; its class is made of nothing else.
        self._waiting: list[Any] = list(inspect.getmro(cls)[:-1])
        if isinstance(function, staticmethod):
            self._waiting = [function.__func__]
        seen: set[int] = set()
        while self._waiting:
            thing = unwrapped(self._waiting.pop())
            if not isinstance(thing, (type, FunctionType)) or id(thing) in seen:
                continue
            seen.add(id(thing))
            if is_of_others(thing):
                continue
            if isinstance(thing, type):
                for name, value in vars(thing).items():
                    self._note(name, value)
                self._waiting += functions_in(thing)
            else:
                self._look_into(thing)

    def _look_into(self, function: FunctionType) -> None:
        code = function.__code__
        self.functions.append(function)
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self._use(name, cell.cell_contents)
            except ValueError:  # not assigned yet
                continue
        for inner in _codes(code):
            for constant in inner.co_consts:
                self._note("", constant)
            modules = []
            for name in inner.co_names:
                value = function.__globals__.get(name, sys.modules.get(name))
                self._use(name, value)
                if isinstance(value, ModuleType) and not is_of_others(value):
                    modules.append(value)
            for module in modules:
                for name in inner.co_names:
                    self._use(name, vars(module).get(name))

    def _use(self, name: str, value: Any) -> None:
        self._note(name, value)
        if callable(value):
            self._waiting.append(value)

    def _note(self, name: str, value: Any) -> None:
        if not name.startswith("__"):
            for text in _texts(value):
                self.texts.setdefault(text, name)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _written(functions: list[FunctionType]) -> set[str]:
    """Names, and reprs of texts, of places that functions write to, as far as they show it."""
    written: set[str] = set()
    aliases: list[tuple[set[str], set[str]]] = []
    known = {function.__name__: function for function in functions}
    for function in functions:
        for node in ast.walk(_tree(function)):
            if isinstance(node, ast.Call):
                if _writes(node):
                    written |= _tokens(node.func) | _given(node)
                elif _last(node.func) in _COPYING:
                    written |= {token for value in node.args[1:] for token in _tokens(value)}
                called = known.get(_last(node.func))
                if called is not None:
                    names = called.__code__.co_varnames[: called.__code__.co_argcount]
                    for name, value in zip(names, node.args, strict=False):
                        aliases.append(({name}, _tokens(value)))
                    aliases += [
                        ({item.arg}, _tokens(item.value)) for item in node.keywords if item.arg
                    ]
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if node.value is not None:
                    bound = {name for target in targets for name in _tokens(target)}
                    aliases.append((bound, _tokens(node.value)))
            elif isinstance(node, ast.For):
                aliases.append((_tokens(node.target), _tokens(node.iter)))
    while more := {
        token for names, of in aliases if not written.isdisjoint(names) for token in of - written
    }:
        written |= more
    return written


def _tree(function: FunctionType) -> ast.AST:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError, IndexError, RecursionError):
        return ast.Module(body=[], type_ignores=[])


def _writes(call: ast.Call) -> bool:
    """Whether a call writes: by the name of what is called, or by a mode."""
    name = _last(call.func)
    if name not in _OPENING:
        return not _WRITING.isdisjoint(_words(name))
    values = [*call.args, *(item.value for item in call.keywords)]
    modes = [item.value for item in values if isinstance(item, ast.Constant)]
    return any(isinstance(mode, str) and _WRITE_MODE.fullmatch(mode) for mode in modes)


def _given(call: ast.Call) -> set[str]:
    values = [*call.args, *(item.value for item in call.keywords)]
    return {token for value in values for token in _tokens(value)}


def _tokens(node: ast.AST) -> set[str]:
    """Names and reprs of texts in an expression that may be a path; not what is read from one."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Constant):
        return {repr(node.value)} if isinstance(node.value, str) else set()
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.value.id in ("self", "cls"):
            return {node.attr}
        return {node.value.id, *([node.attr] if node.attr.isupper() else [])}
    if isinstance(node, ast.Call):
        return _given(node) | _tokens(node.func) if _last(node.func) in _OF_PATHS else set()
    return {token for child in ast.iter_child_nodes(node) for token in _tokens(child)}


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _words(name: str) -> set[str]:
    """The words of a name, in lower case: of ``to_csv`` and of ``ExcelWriter``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return set(spaced.lower().split("_"))
