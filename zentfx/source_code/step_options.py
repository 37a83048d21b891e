"""Options of steps in a source text: they say how a step runs, and are no part of its code.

An edit of ``@step(retries=2)``, or of ``fit = fit.with_options(timeout=60)``, must not run the step
again. So options are cut out of a text before it counts.

Standard library only.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from zentfx.source_code.expressions import is_plain
from zentfx.source_code.normal_form import parsed

__all__ = ["without_step_options"]

_Span = tuple[int, int, int, int]  # line and byte offset of the start, and of the end


def without_step_options(
    text: str, name: str, is_step: Callable[[ast.expr], bool] | None = None
) -> str:
    """Cuts options of steps out of a source text, those whose values are plain expressions.

    Args:
        text: The text.
        name: What it is, for an error.
        is_step: Says of an expression whether it is zentfx's decorator ``step``; by default that is
            what the text imports as such.

    Returns:
        The text with ``@step`` in place of ``@step(…)``, and ``fit`` in place of
        ``fit.with_options(…)`` where ``fit`` is a step of the text.

    Raises:
        StepDefinitionError: If it cannot be parsed.
    """
    if is_step is None and "zentfx" not in text:
        return text
    tree = parsed(text, name)
    spans = list(_options_in(tree, is_step or _Imported(tree).is_step))
    if not spans:
        return text
    # Not splitlines: Python ends lines at fewer characters.
    lines = text.encode(errors="surrogatepass").split(b"\n")
    for first, start, last, end in sorted(spans, reverse=True):
        lines[first - 1 : last] = [lines[first - 1][:start] + lines[last - 1][end:]]
    return b"\n".join(lines).decode(errors="surrogatepass")


def _options_in(tree: ast.Module, is_step: Callable[[ast.expr], bool]) -> Iterator[_Span]:
    decorated = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any(map(is_step, map(_called, node.decorator_list)))
    ]
    for node in decorated:
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and is_step(decorator.func):
                yield from _cut(decorator, decorator.func)
    steps = _steps_of(tree, decorated)
    for inner in ast.walk(tree):
        owner = _reconfigured(inner)
        if owner is not None and owner.id in steps:
            assert isinstance(inner, ast.Call)
            yield from _cut(inner, owner)


def _cut(call: ast.Call, kept: ast.expr) -> Iterator[_Span]:
    """Where the text of a call goes on behind the part that is kept."""
    if not call.args and all(is_plain(item.value) for item in call.keywords):
        yield (
            kept.end_lineno or 0,
            kept.end_col_offset or 0,
            call.end_lineno or 0,
            (call.end_col_offset or 0),
        )


def _called(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _reconfigured(node: ast.AST | None) -> ast.Name | None:
    """What ``with_options`` is called of, where it is a name."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    owner = node.func.value
    return owner if node.func.attr == "with_options" and isinstance(owner, ast.Name) else None


def _steps_of(tree: ast.Module, decorated: list[ast.FunctionDef]) -> set[str]:
    """Names that stand for steps wherever they stand: nothing else in the text sets them."""
    made = {id(node) for node in decorated if node in tree.body and len(node.decorator_list) == 1}
    found = {node.name for node in decorated if id(node) in made}
    renamed: dict[str, list[str]] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            [target], value = statement.targets, statement.value
            owner = value if isinstance(value, ast.Name) else _reconfigured(value)
            if owner is not None and isinstance(target, ast.Name):
                made.add(id(target))
                renamed.setdefault(target.id, []).append(owner.id)
                found.add(target.id)
    found -= {name for node in ast.walk(tree) if id(node) not in made for name in _bound(node)}
    while wrong := {name for name in found if not found.issuperset(renamed.get(name, ()))}:
        found -= wrong
    return found


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that a node itself sets, in whichever scope."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name


def _aliases(node: ast.Import | ast.ImportFrom, name: str) -> dict[int, str]:
    """What an import calls a thing, by the id of the part of the tree that says so."""
    return {id(item): item.asname or item.name for item in node.names if item.name == name}


class _Imported:
    """What a text imports as zentfx's decorator.

    Args:
        tree: The text.
    """

    def __init__(self, tree: ast.Module) -> None:
        modules: dict[int, str] = {}
        steps: dict[int, str] = {}
        for node in tree.body:
            if isinstance(node, ast.Import):
                modules |= _aliases(node, "zentfx")
            elif isinstance(node, ast.ImportFrom) and node.module == "zentfx" and not node.level:
                steps |= _aliases(node, "step")
        known = {*modules, *steps}
        others = {name for node in ast.walk(tree) if id(node) not in known for name in _bound(node)}
        self._modules = {*modules.values()} - others
        self._steps = {*steps.values()} - others

    def is_step(self, node: ast.expr) -> bool:
        """Whether an expression is the decorator."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.attr == "step" and node.value.id in self._modules
        return isinstance(node, ast.Name) and node.id in self._steps
