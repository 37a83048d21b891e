"""What expressions do, by their syntax trees.

Standard library only.
"""

from __future__ import annotations

import ast

__all__ = ["is_plain"]

_OPERATORS = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp)
_ACTIONS = (
    ast.Call,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.NamedExpr,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.JoinedStr,
    ast.Lambda,
)


def is_plain(value: ast.expr) -> bool:
    """Whether an expression does nothing but give a value: no call, no operator but on literals.

    Args:
        value: The expression.

    Returns:
        Whether it is.
    """
    for node in ast.walk(value):
        if isinstance(node, _OPERATORS):
            if any(isinstance(inner, (ast.Name, ast.Attribute)) for inner in ast.walk(node)):
                return False
        elif isinstance(node, _ACTIONS):
            return False
    return True
