"""What a source text imports.

Standard library only.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["imported_names", "package_of", "starred_names", "with_parents"]


def package_of(name: str, file: Path) -> str:
    """The package that relative imports of a module start in.

    Args:
        name: The module's name.
        file: Its source file.

    Returns:
        The package's name; empty outside of packages.
    """
    module = sys.modules.get(name)
    if module is not None:
        return module.__package__ or ""
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


def imported_names(tree: ast.AST, package: str) -> Iterator[str]:
    """Names of the modules that a text imports, be it inside a function, and of those above them.

    Args:
        tree: The text's syntax tree.
        package: The package that its relative imports start in.

    Yields:
        Names, some perhaps several times; some are of what is in a module, or ``package.*``.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            try:
                source = importlib.util.resolve_name(relative, package)
            except (ImportError, ValueError):
                continue  # a relative import outside a package fails when it runs, not here
            yield from with_parents(source)
            for alias in node.names:
                yield f"{source}.{alias.name}"  # may be a submodule; if not, nothing is found


def with_parents(name: str) -> Iterator[str]:
    """A module's name, and the names of the packages that it is in.

    Args:
        name: The name.

    Yields:
        It, and what is above it, from below.
    """
    while name:
        yield name
        name = name.rpartition(".")[0]


def starred_names(tree: ast.Module) -> Iterator[str]:
    """What ``from package import *`` takes, as far as the package says it: submodules among it.

    Args:
        tree: The syntax tree of the package.

    Yields:
        The texts in its ``__all__``.
    """
    for node in tree.body:
        targets: list[Any] = getattr(node, "targets", None) or [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(value, ast.expr) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in targets
        ):
            for inner in ast.walk(value):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.value
