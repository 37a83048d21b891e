"""What a class or function depends on: the source texts and the values that it reaches.

Standard library only.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import inspect
import io
import linecache
import os
import pickle
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from zentfx.errors import StepDefinitionError
from zentfx.source_code.constants import constant_text
from zentfx.source_code.functions import functions_in, unwrapped
from zentfx.source_code.imports import imported_names, package_of, starred_names, with_parents
from zentfx.source_code.module_parts import names_in_texts, names_read, part_for
from zentfx.source_code.normal_form import parsed
from zentfx.source_code.project_files import (
    is_of_others,
    is_ours,
    is_users_file,
    is_users_package,
    module_name,
    project_file,
    stable_name,
)
from zentfx.source_code.step_options import without_step_options
from zentfx.source_code.user_sources import loaded_text

__all__ = ["ReachedSources", "closed_over", "reach"]

# Classes whose objects are their attributes; by name, because argparse is not imported for that.
_NAMESPACES = ("argparse.Namespace", "types.SimpleNamespace")


class ReachedSources(dict[str, str]):
    """Source texts by module, or by module and name for what was typed into a notebook.

    Attributes:
        things: The classes and functions that were typed, so that each is read once.
        opaque: What a step uses and whose content cannot be told. Sentences without their end.
        packages: Texts of the packages that its modules are in, by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.things: list[Any] = []
        self.opaque: list[str] = []
        self.packages: dict[str, str] = {}

    def add(self, key: str, text: str) -> None:
        """Adds a text; of two different ones under one key, as of two classes, both stay."""
        while self.get(key, text) != text:
            key += "'"
        self[key] = text


def closed_over(thing: type | FunctionType, found: ReachedSources) -> dict[str, Any]:
    """Values that methods of a class, or a function, take from the functions around them.

    Args:
        thing: The class or function.
        found: Source texts, to which those of closed over functions and classes are added.

    Returns:
        The other values, by name.
    """
    values: dict[str, Any] = {}
    members = list(vars(thing).values()) if isinstance(thing, type) else [thing]
    waiting: list[Any] = [*functions_in(thing), *members]
    seen: set[int] = set()
    while waiting:
        function = waiting.pop()
        if id(function) in seen or not isinstance(function, FunctionType):
            continue
        seen.add(id(function))
        # A wrapper has values of its own: those that its decorator was given.
        waiting.append(getattr(function, "__wrapped__", None))
        installed = not is_users_file(function.__code__.co_filename)
        for name, value in _closed_over_values(function).items():
            if isinstance(unwrapped(value), FunctionType):
                value = unwrapped(value)  # a step, say
            if installed and constant_text(value) is None:
                continue  # what a decorator of a package, or of zentfx, keeps for itself
            if isinstance(value, FunctionType):
                waiting.append(value)
            if isinstance(value, (type, FunctionType, ModuleType)):
                if value is not thing:  # what super() needs
                    reach(value, found)
            else:
                values[name] = value
    return values


def reach(thing: Any, found: ReachedSources) -> bool:
    """Adds the source of a class, a function or a module, and of what that depends on.

    Args:
        thing: The class, function or module.
        found: Where to add it.

    Returns:
        Whether there is a source, or none is needed.
    """
    if is_of_others(thing):
        return True
    name = module_name(thing)
    file = project_file(name)
    if file is not None:
        _add_packages(name, file, found)
        if not (isinstance(thing, FunctionType) and _reach_part(thing, file, found)):
            _reach_modules([name], found)
        return True
    return not isinstance(thing, ModuleType) and _reach_typed(thing, found)


def _add_packages(name: str, file: Path, found: ReachedSources) -> None:
    """Adds the packages that a module is in, which Python runs before it: their own texts alone.

    With all that they import an edit anywhere in a package would count for every step in it.
    """
    package = package_of(name, file)
    for parent in with_parents(package) if package else ():
        above = project_file(parent)
        if above is not None and parent != name:
            found.packages[stable_name(parent, above)] = _text_of_module(parent, above)


def _reach_part(function: FunctionType, file: Path, found: ReachedSources) -> bool:
    """Adds the part of its module that a function depends on, if that can be told."""
    name = function.__module__
    outermost = function.__qualname__.partition(".")[0]
    key = f"{stable_name(name, file)}:{outermost}"
    if key in found:
        return True
    text = _text_of_module(name, file)
    try:
        part = part_for(text, outermost, is_users_package)
    except (SyntaxError, RecursionError) as error:
        raise StepDefinitionError(f"The source of {name} cannot be parsed: {error}.") from error
    # From a command line, a file or the environment, say.
    for item in sorted(part.computed.intersection(function.__globals__)):
        value = _plain_value(function.__globals__[item], file.parent)
        if value is not None:
            found[f"{key}:{item}"] = f"value = {value}"
    if part.text is None:
        return False
    found[key] = part.text
    imported = imported_names(parsed(part.text, name), package_of(name, file))
    _reach_modules(list(imported), found)
    return True


def _text_of_module(name: str, file: Path) -> str:
    try:
        return without_step_options(loaded_text(name, file), name)
    except (SyntaxError, ValueError) as error:  # not in the encoding that it names, say
        raise StepDefinitionError(f"The source of {name} cannot be read: {error}.") from error


def _plain_value(value: Any, folder: Path) -> str | None:
    """A text that tells a value from others, as far as it is data, or has such parts.

    Places are told from the module's folder, so that another checkout has the same text.
    """
    behind = unwrapped(value)
    if isinstance(behind, FunctionType):
        value = [*(behind.__defaults__ or ()), *(behind.__kwdefaults__ or {}).values()]
    elif isinstance(value, type):
        value = _attributes(value)
    elif f"{type(value).__module__}.{type(value).__name__}" in _NAMESPACES:
        value = vars(value)
    if type(value) not in (dict, list, tuple):
        return _plain_part(value, folder)
    # Of a part that is no plain data nothing is told.
    items = value.items() if type(value) is dict else enumerate(value)
    return constant_text([f"{key!s}={_plain_part(item, folder)}" for key, item in items])


def _plain_part(value: Any, folder: Path) -> str | None:
    if not isinstance(value, (str, os.PathLike)):
        return constant_text(value)
    text = os.fspath(value)
    if not isinstance(text, str) or not os.path.isabs(text):  # noqa: PTH117 - most are no path
        return constant_text(text)
    for start in (folder, folder.resolve()):
        # A project's data may lie beside the folder of its code, or one further up.
        near = [item for item in (start, *start.parents[:2]) if item.parent != item]
        if start.is_relative_to(text) or any(Path(text).is_relative_to(item) for item in near):
            return constant_text(f"…/{os.path.relpath(text, start)}")
    return constant_text(text)


def _reach_modules(waiting: list[str], found: dict[str, str]) -> None:
    """Adds modules of the project, and every one that they import, transitively."""
    while waiting:
        name = waiting.pop()
        if name.endswith(".*"):
            waiting.extend(_starred(name.removesuffix(".*")))
            continue
        file = project_file(name)
        if file is None or stable_name(name, file) in found:
            continue
        text = found[stable_name(name, file)] = _text_of_module(name, file)
        waiting.extend(imported_names(parsed(text, name), package_of(name, file)))


def _starred(name: str) -> Iterator[str]:
    """The modules that ``from name import *`` may take."""
    file = project_file(name)
    if file is not None:
        for item in starred_names(parsed(_text_of_module(name, file), name)):
            yield f"{name}.{item}"


def _reach_typed(thing: Any, found: ReachedSources) -> bool:
    """Adds a class or function that was typed into a notebook, and what its text mentions.

    ``inspect.getsource`` cannot find such classes, but their methods know the cell they are from.
    What their text does not say counts by its value: attributes, values closed over.
    """
    if any(known is thing for known in found.things):
        return True
    found.things.append(thing)
    key = f"{thing.__module__}:{thing.__qualname__}"
    has_text, needs_text = False, False
    for function in functions_in(thing):
        if isinstance(thing, type) and not function.__qualname__.startswith(
            f"{thing.__qualname__}."
        ):
            reach(function, found)  # made elsewhere, and put into the class
            continue
        needs_text = True
        text = _statement(function)
        if text is not None and not has_text:
            has_text = True
            found.add(key, text)
            _reach_mentioned(text, key, function.__globals__, found)
        _add_values(f"{key}.{function.__name__}", _closed_over_values(function), found)
    if isinstance(thing, type):
        _add_values(key, _attributes(thing), found)
        for base in inspect.getmro(thing)[1:-1]:
            reach(base, found)
    return has_text or not needs_text


def _reach_mentioned(text: str, key: str, space: Mapping[str, Any], found: ReachedSources) -> None:
    """Adds what a text mentions: modules that it imports, and values of names."""
    tree = parsed(text, key)
    _reach_modules(list(imported_names(tree, "")), found)
    in_texts = list(names_in_texts(text))
    mentioned = [*names_read(text), *in_texts]
    names = {name: space[name] for name in mentioned if name in space}
    module = key.partition(":")[0]
    for node in ast.walk(tree):
        value = _value(node, names)
        if isinstance(node, ast.Name) and node.id in names:
            _add_values(module, {node.id: value}, found)
        elif isinstance(value, (type, FunctionType, ModuleType)):
            reach(value, found)
        elif isinstance(node, ast.Attribute) and constant_text(value) is not None:
            _add_values(module, {ast.unparse(node): value}, found)
    _add_values(module, {name: names[name] for name in in_texts if name in names}, found)


def _closed_over_values(function: FunctionType) -> dict[str, Any]:
    values = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not assigned yet
            values[name] = cell.cell_contents
    return values


def _attributes(cls: type) -> dict[str, Any]:
    """The attributes of a class that are no functions and nothing of Python's own."""
    return {
        name: value
        for name, value in vars(cls).items()
        if not name.startswith("__")
        and not name.startswith("_abc_")
        and not isinstance(value, (property, classmethod, staticmethod))
        and not isinstance(unwrapped(value), FunctionType)
    }


def _add_values(key: str, values: Mapping[str, Any], found: ReachedSources) -> None:
    for name, value in values.items():
        text = _text_of(value, found)
        if text is None:
            sentence = (
                f"{key.partition(':')[2] or 'The step'} uses {name}, a {type(value).__name__}, "
                "whose content cannot be told"
            )
            if sentence not in found.opaque:
                found.opaque.append(sentence)
        elif text:
            found.add(f"{key}:{name}", f"value = {text}")


def _text_of(value: Any, found: ReachedSources) -> str | None:
    """A text that tells a value from others; empty for what has a source, None if there is none.

    A text that differs although the value does not (a set's order, say) costs a run that was not
    needed; without one a changed array would go unnoticed.
    """
    constant = constant_text(value)
    if constant is not None:
        return constant
    behind = unwrapped(value)
    if isinstance(behind, (type, FunctionType, ModuleType)):
        reach(behind, found)
        return ""
    file = io.BytesIO()
    try:
        _ValuePickler(file, found).dump(value)
    except Exception:  # noqa: BLE001 - whatever a class of the user's raises
        return None
    return repr(f"{type(value).__qualname__} {hashlib.sha256(file.getvalue()).hexdigest()}")


class _ValuePickler(pickle.Pickler):
    """Pickles a value for its digest; the user's classes and functions in it by their source."""

    def __init__(self, file: io.BytesIO, found: ReachedSources) -> None:
        super().__init__(file, protocol=4)
        self._found = found

    def reducer_override(self, thing: Any) -> Any:
        """Called by pickle for everything that is no plain data."""
        if isinstance(thing, ModuleType):
            reach(thing, self._found)
            return str, (thing.__name__,)
        if isinstance(thing, (type, FunctionType)) and not is_of_others(thing):
            if not reach(thing, self._found):
                raise pickle.PicklingError(f"{thing} has no source")
            return str, (f"{thing.__module__}.{thing.__qualname__}",)
        return NotImplemented


def _statement(function: FunctionType) -> str | None:
    """The text of the outermost statement that a function was defined in."""
    lines = linecache.getlines(function.__code__.co_filename)
    line = function.__code__.co_firstlineno
    for node in parsed("".join(lines), function.__code__.co_filename).body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(item.lineno for item in decorators)])
        if first <= line <= (node.end_lineno or node.lineno):
            text = "".join(lines[first - 1 : node.end_lineno])
            is_step = partial(_is_step_decorator, namespace=function.__globals__)
            return without_step_options(text, function.__qualname__, is_step)
    return None


def _is_step_decorator(node: ast.expr, namespace: dict[str, Any]) -> bool:
    value = _value(node, namespace)
    return (
        isinstance(value, FunctionType) and is_ours(value.__module__) and value.__name__ == "step"
    )


def _value(node: ast.AST, namespace: dict[str, Any]) -> Any:
    """What a name, or an attribute of a module, stands for; None where it cannot be said."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, namespace)
        # Not getattr: packages load parts of themselves on that.
        return vars(owner).get(node.attr) if isinstance(owner, ModuleType) else None
    return None
