"""Fingerprints of code: what a step's own source adds to its cache key, and the source itself.

The fingerprint of a class covers the modules of the user's classes in its MRO and, transitively,
every module of the user's project that those import. Installed packages are left out. Steps that
zentfx ships carry a ``code_version`` instead, which is raised when their results change.

The text that is hashed is a normal form of the syntax tree: comments, docstrings and formatting do
not count, and it is the same on every supported Python.

Standard library only.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import linecache
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from zentfx.errors import StepDefinitionError

__all__ = ["CodeIdentity", "code_of"]

# Raised when the normal form below changes, because all fingerprints change with it.
_NORMAL_FORM = 1

_INSTALLED = tuple(
    Path(path).resolve() for path in {*map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))}
)


@dataclass(frozen=True)
class CodeIdentity:
    """What the code of a class is.

    Attributes:
        fingerprint: Hex SHA-256 of the normal form of the user's sources, and of the code versions
            of shipped classes.
        sources: The source texts, those of shipped classes included, by module (or module and
            class, where a class was typed into a notebook).
    """

    fingerprint: str
    sources: dict[str, str]


def code_of(cls: type, code_version: str | None = None) -> CodeIdentity:
    """Identifies the code of a step class.

    Args:
        cls: The class.
        code_version: A name that the user gives to this state of the code; it replaces the
            fingerprint, and edits no longer count.

    Returns:
        The fingerprint and the sources.

    Raises:
        StepDefinitionError: If a class was defined where no source can be found (``exec``, a
            deleted file), and no ``code_version`` was given.
    """
    sources: dict[str, str] = {}
    shipped: dict[str, str] = {}
    parts: list[str] = []
    for base in inspect.getmro(cls):
        module = sys.modules.get(base.__module__)
        if base is object or module is None:
            continue
        if base.__module__.partition(".")[0] == "zentfx":
            parts.append(f"{base.__module__}.{base.__qualname__}={_own_version(base)}")
            shipped[base.__module__] = Path(str(module.__file__)).read_text(encoding="utf-8")
        elif _is_project(module):
            sources |= _sources_reached(module)
        elif not _is_installed(module):
            try:
                sources[f"{base.__module__}:{base.__qualname__}"] = _typed_source(base)
            except StepDefinitionError:
                if code_version is None:
                    raise
    parts += [f"{name}={_normal_form(text)}" for name, text in sorted(sources.items())]
    if code_version is not None:
        parts = [f"code_version={code_version}"]
    digest = hashlib.sha256("\n".join([f"v{_NORMAL_FORM}", *parts]).encode())
    return CodeIdentity(digest.hexdigest(), sources | shipped)


def _own_version(cls: type) -> str:
    return str(cls.__dict__.get("code_version", ""))


def _is_installed(module: ModuleType) -> bool:
    origin = getattr(module, "__file__", None)
    if origin is None:
        return getattr(module, "__spec__", None) is not None  # built in, or a namespace package
    return any(Path(origin).resolve().is_relative_to(folder) for folder in _INSTALLED)


def _is_project(module: ModuleType) -> bool:
    origin = getattr(module, "__file__", None)
    return (
        origin is not None
        and origin.endswith(".py")
        and Path(origin).is_file()
        and not _is_installed(module)
        and module.__name__.partition(".")[0] != "zentfx"
    )


def _sources_reached(start: ModuleType) -> dict[str, str]:
    """Source texts of a module and of every project module that it imports, transitively."""
    found: dict[str, str] = {}
    waiting = [start]
    while waiting:
        module = waiting.pop()
        name = _stable_name(module)
        if name in found:
            continue
        found[name] = text = Path(str(module.__file__)).read_text(encoding="utf-8")
        for imported in _imported_names(text, module):
            reached = sys.modules.get(imported)
            if reached is not None and _is_project(reached):
                waiting.append(reached)
    return found


def _stable_name(module: ModuleType) -> str:
    # A script is `__main__` when run and has its own name when imported: the same code.
    if module.__name__ == "__main__":
        spec = getattr(module, "__spec__", None)
        return spec.name if spec is not None else Path(str(module.__file__)).stem
    return module.__name__


def _imported_names(text: str, module: ModuleType) -> Iterator[str]:
    package = module.__package__ or ""
    for node in ast.walk(_parse(text, module.__name__)):
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


def _typed_source(cls: type) -> str:
    """Source of a class that was typed into a notebook or a console.

    ``inspect.getsource`` cannot find such classes, but their methods know the cell they are from.
    """
    for member in vars(cls).values():
        function = inspect.unwrap(getattr(member, "__func__", member))
        code = getattr(function, "__code__", None)
        if code is None:
            continue
        text = "".join(linecache.getlines(code.co_filename))
        for node in ast.walk(_parse(text, code.co_filename)):
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
                return ast.get_source_segment(text, node) or text
    raise StepDefinitionError(
        f"The source of {cls.__qualname__} cannot be found, so changes to it would go unnoticed. "
        "Define it in a file or a notebook cell, or name its state: "
        f"{cls.__name__}(…).with_options(code_version='1')."
    )


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
        return f"{type(node).__name__}:{node!r}"
    fields = []
    for name, value in ast.iter_fields(node):
        if name in ("type_comment", "kind", "type_ignores", "ctx"):
            continue
        if name == "body" and isinstance(
            node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        ):
            value = _without_docstring(value)
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
