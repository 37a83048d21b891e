"""Fingerprints of code: what a step's own source adds to its cache key, and the source itself.

The fingerprint of a class covers the modules of the user's classes in its MRO and, transitively,
every module of the user's project that those import, be it inside a function. Of the module of a
function that part counts which the function depends on, see :mod:`zentfx.module_parts`. Of what was
typed into a notebook it covers the statement that defines it, and what that mentions: other
definitions, modules, plain constants, and other values by their pickles. Installed packages are
left out. Steps that zentfx ships carry a ``code_version`` instead, which is raised when their
results change.

The text that is hashed is a normal form of the syntax tree: comments, docstrings and formatting do
not count, and it is the same on every supported Python.

Standard library only.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import inspect
import io
import json
import linecache
import pickle
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from zentfx.errors import StepDefinitionError
from zentfx.module_parts import computed_names, names_in_texts, names_read, part_for
from zentfx.user_sources import (
    functions_in,
    instructions,
    is_installed_file,
    is_users_file,
    loaded_text,
    read_source,
    unwrapped,
)

__all__ = ["CodeIdentity", "code_of"]

# Raised when the normal form below changes, because all fingerprints change with it.
_NORMAL_FORM = 1


@dataclass(frozen=True)
class CodeIdentity:
    """What the code of a class is.

    Attributes:
        fingerprint: Hex SHA-256 of the normal form of the user's sources, and of the code versions
            of shipped classes.
        sources: The source texts, those of shipped classes included, by module (or module and
            class, where a class was typed into a notebook).
        warnings: What is perhaps not as the user thinks: classes that were defined again since,
            modules whose files were edited after they were loaded, values whose content cannot be
            told. Sentences.
    """

    fingerprint: str
    sources: dict[str, str]
    warnings: tuple[str, ...] = ()

    @cached_property
    def sources_text(self) -> str:
        """The sources as one JSON text."""
        return json.dumps(self.sources, sort_keys=True, indent=1)

    @cached_property
    def sources_digest(self) -> str:
        """Hex SHA-256 of :attr:`sources_text`: two states of the code may share a fingerprint."""
        return hashlib.sha256(self.sources_text.encode()).hexdigest()


def code_of(cls: type, code_version: str | None = None) -> CodeIdentity:
    """Identifies the code of a step class.

    Args:
        cls: The class.
        code_version: A name that the user gives to this state of the code; it replaces the
            fingerprint, and edits no longer count.

    Returns:
        The fingerprint and the sources.

    Raises:
        StepDefinitionError: If the code cannot be told and no ``code_version`` was given: a class
            was defined where no source can be found (``exec``, a deleted file), or replaced by
            loading its module again; or a file cannot be parsed.
    """
    sources = _Found()
    shipped: dict[str, str] = {}
    parts: list[str] = []
    for base in inspect.getmro(cls)[:-1]:
        if _is_ours(base.__module__):
            parts.append(f"{base.__module__}.{base.__qualname__}={_own_version(base)}")
            shipped[base.__module__] = read_source(Path(str(sys.modules[base.__module__].__file__)))
            continue
        # A step that is a function keeps it here; its class is made of nothing else.
        function = vars(base).get("source_function")
        thing: Any = function.__func__ if isinstance(function, staticmethod) else base
        known = _reach(thing, sources)
        sources.update(_own_installed(base))
        closed = _closed_over(thing, sources)
        if code_version is not None:
            continue
        call = "" if function is not None else "(…)"
        remedy = f"{cls.__name__}{call}.with_options(code_version='1')"
        if not known:
            raise StepDefinitionError(
                f"The source of {base.__qualname__} cannot be found, so changes to it would go "
                "unnoticed. Define it in a file or a notebook cell (%%time hides its text: leave "
                f"it out), or name its state: {remedy}."
            )
        for name, value in closed.items():
            constant = _constant(value)
            if constant is None:
                raise StepDefinitionError(
                    f"{base.__qualname__} uses {name} from the function that it is defined in, a "
                    f"{type(value).__name__}, so changes to it would go unnoticed. Make it a "
                    f"parameter of the step, or name its state: {remedy}."
                )
            parts.append(f"{base.__qualname__}:{name}={constant}")
    parts += [f"{name}={_normal_form(text)}" for name, text in sorted(sources.items())]
    # What cannot be told apart is never the same: a needless miss is only slow.
    parts += [f"opaque={uuid.uuid4()}" for _ in sources.opaque]
    if code_version is not None:
        parts = [f"code_version={code_version}"]
    digest = hashlib.sha256("\n".join([f"v{_NORMAL_FORM}", *parts]).encode())
    warnings = (*_defined_again(cls, refuse=code_version is None), *_edited(sources))
    if code_version is None:
        warnings += tuple(f"{what}, so the step is not reused." for what in sources.opaque)
    return CodeIdentity(digest.hexdigest(), {**sources, **shipped}, warnings)


class _Found(dict[str, str]):
    """Source texts by module, or by module and name for what was typed into a notebook.

    Attributes:
        things: The classes and functions that were typed, so that each is read once.
        opaque: What a step uses and whose content cannot be told. Sentences without their end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.things: list[Any] = []
        self.opaque: list[str] = []

    def add(self, key: str, text: str) -> None:
        """Adds a text; of two different ones under one key, as of two classes, both stay."""
        while self.get(key, text) != text:
            key += "'"
        self[key] = text


def _defined_again(cls: type, refuse: bool) -> Iterator[str]:
    """Says which classes of a step were replaced by others of their name, with other code.

    Of a module that was loaded again only the new text is known: then the old class is refused.
    """
    for base in inspect.getmro(cls)[:-1]:
        if _is_ours(base.__module__) or "<locals>" in base.__qualname__:
            continue
        now: Any = sys.modules.get(base.__module__)
        for part in base.__qualname__.split("."):
            now = vars(now).get(part) if isinstance(now, (ModuleType, type)) else None
        # Where the function stands that the class was made of, the new one's stands now.
        now = getattr(now, "step_class", now)
        # `class Gate(Gate)` replaces a name on purpose.
        if not isinstance(now, type) or now in cls.__mro__ or _contents(now) == _contents(base):
            continue
        what = f"The class {base.__qualname__} was defined again since the step was made"
        if refuse and _project_file(base.__module__) is not None:
            raise StepDefinitionError(
                f"{what}, by loading {base.__module__} again, and the old one's source is not "
                "known any more. Make the step again."
            )
        yield f"{what}, which runs the old one. To run the new one, make the step again."


def _contents(cls: type) -> list[str]:
    """What the code and the plain attributes of a class are."""
    texts = [
        f"{name}={_constant(value)}"
        for name, value in sorted(vars(cls).items())
        if name not in ("__doc__", "__firstlineno__")
    ]
    for function in functions_in(cls):
        code = function.__code__
        if function.__doc__ is not None:
            code = code.replace(co_consts=(None, *code.co_consts[1:]))
        defaults = map(_constant, (function.__defaults__, function.__kwdefaults__))
        texts.append(f"{function.__qualname__}({[*defaults]}){instructions(code)}")
    return texts


def _edited(sources: Mapping[str, str]) -> Iterator[str]:
    """Says which modules have another text in their file than the one that was loaded."""
    for name, text in sorted(sources.items()):
        module, _, part = name.partition(":")
        file = _project_file(module)
        is_value = ":" in part  # which no file tells
        if file is None or module not in sys.modules or is_value:
            continue
        try:
            now: str | None = read_source(file)
            if part:
                now = part_for(str(now), part.rstrip("'"), _is_users_package)
            differs = now is None or _normal_form(now) != _normal_form(text)
        except (OSError, SyntaxError, UnicodeDecodeError, StepDefinitionError):
            differs = True
        if differs:
            yield (
                f"The file of the module {module} was edited after the module was loaded: what "
                "runs, and is recorded, is the loaded code. To run the new one, restart Python, or "
                f"importlib.reload({module}) and make the step again."
            )


def _own_installed(cls: type) -> dict[str, str]:
    """The module of a step class that comes with an installed package: its own code counts."""
    module = sys.modules.get(cls.__module__)
    file = Path(str(getattr(module, "__file__", None) or ""))
    if file.suffix != ".py" or not {"site-packages", "dist-packages"} & set(file.parts):
        return {}
    return {cls.__module__: read_source(file)}


def _closed_over(cls: type | FunctionType, found: _Found) -> dict[str, Any]:
    """Values that methods of a class, or a function, take from the functions around them.

    Args:
        cls: The class or function.
        found: Source texts, to which those of closed over functions and classes are added.

    Returns:
        The other values, by name.
    """
    values: dict[str, Any] = {}
    members = list(vars(cls).values()) if isinstance(cls, type) else [cls]
    waiting: list[Any] = [*functions_in(cls), *members]
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
            if installed and _constant(value) is None:
                continue  # what a decorator of a package, or of zentfx, keeps for itself
            if isinstance(value, FunctionType):
                waiting.append(value)
            if isinstance(value, (type, FunctionType, ModuleType)):
                if value is not cls:  # what super() needs
                    _reach(value, found)
            else:
                values[name] = value
    return values


def _own_version(cls: type) -> str:
    return str(cls.__dict__.get("code_version", ""))


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "zentfx"


def _reach(thing: Any, found: _Found) -> bool:
    """Adds the source of a class, a function or a module, and of what it reaches.

    Args:
        thing: The class, function or module.
        found: Where to add it.

    Returns:
        Whether there is a source, or none is needed.
    """
    if _is_of_others(thing):
        return True
    name = _module_name(thing)
    file = _project_file(name)
    if file is not None:
        if not (isinstance(thing, FunctionType) and _reach_part(thing, file, found)):
            _reach_modules([name], found)
        return True
    return not isinstance(thing, ModuleType) and _reach_typed(thing, found)


def _reach_part(function: FunctionType, file: Path, found: _Found) -> bool:
    """Adds the part of its module that a function depends on, if that can be told."""
    name = function.__module__
    outermost = function.__qualname__.partition(".")[0]
    key = f"{_stable_name(name, file)}:{outermost}"
    if key in found:
        return True
    text = loaded_text(name, file)
    try:
        part = part_for(text, outermost, _is_users_package)
    except SyntaxError as error:
        raise StepDefinitionError(f"The source of {name} cannot be parsed: {error}.") from error
    if part is None:
        return False
    found[key] = part
    # From a command line, a file or the environment, say.
    for item in sorted(computed_names(part).intersection(function.__globals__)):
        value = _plain_value(function.__globals__[item])
        if value is not None:
            found[f"{key}:{item}"] = f"value = {value}"
    _reach_modules(list(_imported_names(_parse(part, name), _package_of(name, file))), found)
    return True


def _plain_value(value: Any) -> str | None:
    """A text that tells a value from others, if it is data, or an object with such attributes."""
    constant = _constant(value)
    if constant is None and type(value).__module__ in ("argparse", "types"):
        constant = _constant(getattr(value, "__dict__", None))
    return constant


def _is_users_package(name: str) -> bool:
    """Whether a module, or a package, may be the user's own; one that cannot be found may be."""
    if _is_ours(name) or name in sys.stdlib_module_names:
        return False
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None) or _spec(name)
    if spec is None:
        return True
    places = [spec.origin] if spec.has_location else spec.submodule_search_locations or []
    # A namespace package may be of several folders.
    return any(not is_installed_file(Path(str(place), "_")) for place in places)


def _package_of(name: str, file: Path) -> str:
    """The package that relative imports of a module start in."""
    module = sys.modules.get(name)
    if module is not None:
        return module.__package__ or ""
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


def _is_of_others(thing: Any) -> bool:
    """Whether a class, function or module is one of zentfx, of Python or of a package."""
    name = _module_name(thing)
    module = sys.modules.get(name)
    return _is_ours(name) or (module is not None and _is_installed(module))


def _module_name(thing: Any) -> str:
    return thing.__name__ if isinstance(thing, ModuleType) else str(thing.__module__)


def _is_installed(module: ModuleType) -> bool:
    origin = getattr(module, "__file__", None)
    if origin is None:
        return getattr(module, "__spec__", None) is not None  # built in, or a namespace package
    return is_installed_file(Path(origin))


def _project_file(name: str) -> Path | None:
    """The source file of a module of the user's project, be it imported yet or not."""
    module = sys.modules.get(name)
    if module is not None:
        origin = getattr(module, "__file__", None)
    else:
        spec = _spec(name)
        origin = spec.origin if spec is not None else None
    if origin is None or not origin.endswith(".py") or _is_ours(name):
        return None
    file = Path(origin)
    return file if file.is_file() and not is_installed_file(file) else None


def _spec(name: str) -> ModuleSpec | None:
    """Finds a module without importing it, or the packages that it is in."""
    parent = name.rpartition(".")[0]
    if not parent:
        return PathFinder.find_spec(name)
    package = _spec(parent)
    if package is None or package.submodule_search_locations is None:
        return None
    return PathFinder.find_spec(name, package.submodule_search_locations)


def _reach_modules(waiting: list[str], found: dict[str, str]) -> None:
    """Adds modules of the project, and every one that they import, transitively."""
    while waiting:
        name = waiting.pop()
        file = _project_file(name)
        if file is None or _stable_name(name, file) in found:
            continue
        text = found[_stable_name(name, file)] = loaded_text(name, file)
        waiting.extend(_imported_names(_parse(text, name), _package_of(name, file)))


def _stable_name(name: str, file: Path) -> str:
    # A script is `__main__` when run and has its own name when imported: the same code.
    if name == "__main__":
        spec = getattr(sys.modules[name], "__spec__", None)
        return spec.name if spec is not None else file.stem
    return name


def _imported_names(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            try:
                source = importlib.util.resolve_name(relative, package)
            except (ImportError, ValueError):
                continue  # a relative import outside a package fails when it runs, not here
            yield from _with_parents(source)
            for alias in node.names:
                yield f"{source}.{alias.name}"  # may be a submodule; if not, nothing is found


def _with_parents(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def _reach_typed(thing: Any, found: _Found) -> bool:
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
            _reach(function, found)  # made elsewhere, and put into the class
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
            _reach(base, found)
    return has_text or not needs_text


def _reach_mentioned(text: str, key: str, space: Mapping[str, Any], found: _Found) -> None:
    """Adds what a text mentions: modules that it imports, and values of names."""
    tree = _parse(text, key)
    _reach_modules(list(_imported_names(tree, "")), found)
    in_texts = list(names_in_texts(text))
    mentioned = [*names_read(text), *in_texts]
    names = {name: space[name] for name in mentioned if name in space}
    module = key.partition(":")[0]
    for node in ast.walk(tree):
        value = _value(node, names)
        if isinstance(node, ast.Name) and node.id in names:
            _add_values(module, {node.id: value}, found)
        elif isinstance(value, (type, FunctionType, ModuleType)):
            _reach(value, found)
        elif isinstance(node, ast.Attribute) and _constant(value) is not None:
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


def _add_values(key: str, values: Mapping[str, Any], found: _Found) -> None:
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


def _text_of(value: Any, found: _Found) -> str | None:
    """A text that tells a value from others; empty for what has a source, None if there is none.

    A text that differs although the value does not (a set's order, say) costs a run that was not
    needed; without one a changed array would go unnoticed.
    """
    constant = _constant(value)
    if constant is not None:
        return constant
    behind = unwrapped(value)
    if isinstance(behind, (type, FunctionType, ModuleType)):
        _reach(behind, found)
        return ""
    file = io.BytesIO()
    try:
        _ValuePickler(file, found).dump(value)
    except Exception:  # noqa: BLE001 - whatever a class of the user's raises
        return None
    return repr(f"{type(value).__qualname__} {hashlib.sha256(file.getvalue()).hexdigest()}")


class _ValuePickler(pickle.Pickler):
    """Pickles a value for its digest; the user's classes and functions in it by their source."""

    def __init__(self, file: io.BytesIO, found: _Found) -> None:
        super().__init__(file, protocol=4)
        self._found = found

    def reducer_override(self, thing: Any) -> Any:
        """Called by pickle for everything that is no plain data."""
        if isinstance(thing, ModuleType):
            _reach(thing, self._found)
            return str, (thing.__name__,)
        if isinstance(thing, (type, FunctionType)) and not _is_of_others(thing):
            if not _reach(thing, self._found):
                raise pickle.PicklingError(f"{thing} has no source")
            return str, (f"{thing.__module__}.{thing.__qualname__}",)
        return NotImplemented


def _statement(function: FunctionType) -> str | None:
    """The text of the outermost statement that a function was defined in."""
    lines = linecache.getlines(function.__code__.co_filename)
    line = function.__code__.co_firstlineno
    for node in _parse("".join(lines), function.__code__.co_filename).body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(item.lineno for item in decorators)])
        if first <= line <= (node.end_lineno or node.lineno):
            return "".join(lines[first - 1 : node.end_lineno])
    return None


def _value(node: ast.AST, namespace: dict[str, Any]) -> Any:
    """What a name, or an attribute of a module, stands for; None where it cannot be said."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, namespace)
        # Not getattr: packages load parts of themselves on that.
        return vars(owner).get(node.attr) if isinstance(owner, ModuleType) else None
    return None


def _constant(value: Any) -> str | None:
    """The text of a plain constant, equal in every process; None for any other value."""
    for kind in (bool, int, float, str, bytes):
        if isinstance(value, kind):
            return kind.__repr__(value)  # not repr: an enum's is no text of Python
    if value is None:
        return "None"
    if not isinstance(value, (list, tuple, dict, set, frozenset)):
        return None
    try:
        parts = [_constant(part) for part in (value.items() if isinstance(value, dict) else value)]
    except RecursionError:
        return None  # it holds itself
    texts = [part for part in parts if part is not None]
    if len(texts) < len(parts):
        return None
    if isinstance(value, (set, frozenset)):
        texts.sort()
    return f"{type(value).__name__}([{', '.join(texts)}])"


def _parse(text: str, name: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise StepDefinitionError(f"The source of {name} cannot be parsed: {error}.") from error


@lru_cache(maxsize=256)
def _normal_form(text: str) -> str:
    return hashlib.sha256(_dump(_parse(text, "a step's module")).encode()).hexdigest()


def _dump(node: object) -> str:
    """Text of a syntax tree without positions, docstrings, and fields that only some Pythons have.

    Empty fields are left out: newer Pythons add fields that are empty for older syntax.
    """
    if isinstance(node, list):
        return f"[{','.join(map(_dump, node))}]"
    if not isinstance(node, ast.AST):
        return f"{type(node).__name__}:{node!a}"  # repr knows other letters on each Python
    fields = []
    for name, value in ast.iter_fields(node):
        if name in ("type_comment", "kind", "type_ignores", "ctx"):
            continue
        if name == "body" and isinstance(
            node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        ):
            value = _without_docstring(value)
        if isinstance(node, ast.JoinedStr):
            # Python 3.12 ends some format specifications with an empty text.
            value = [part for part in value if getattr(part, "value", None) != ""]
        if value is None and not isinstance(node, ast.Constant):
            continue
        if value == []:
            continue
        fields.append(f"{name}={_dump(value)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return body[1:]
    return body
