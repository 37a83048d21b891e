"""A normal form of source texts: their syntax trees as text.

Comments, docstrings and formatting do not count, and it is the same on every supported Python.

Standard library only.
"""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache

from zentfx.errors import StepDefinitionError

__all__ = ["NORMAL_FORM", "normal_digest", "parsed"]

# Raised when the normal form below changes, because all fingerprints change with it.
NORMAL_FORM = 1
# What a value is written with, which is no source: it has one spelling, and may be long.
_VALUE = "value = "


def parsed(text: str, name: str) -> ast.Module:
    """Parses a source text.

    Args:
        text: The text.
        name: What it is, for an error.

    Returns:
        Its syntax tree, which is everybody's: nobody changes it.

    Raises:
        StepDefinitionError: If it cannot be parsed.
    """
    try:
        return _tree(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise StepDefinitionError(f"The source of {name} cannot be parsed: {error}.") from error


@lru_cache(maxsize=64)
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


@lru_cache(maxsize=256)
def normal_digest(text: str) -> str:
    """Digests the normal form of a source text.

    Args:
        text: The text.

    Returns:
        Hex SHA-256.

    Raises:
        StepDefinitionError: If it cannot be parsed.
    """
    if text.startswith(_VALUE):
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    tree = parsed(text, "a step's module")
    try:
        return hashlib.sha256(_dump(tree).encode()).hexdigest()
    except RecursionError as error:
        raise StepDefinitionError(
            "The source of a step's module is nested too deeply to be told from others. Split the "
            "expression, or the chain of elif, or name its state: with_options(code_version='1')."
        ) from error


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
