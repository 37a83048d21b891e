"""Parts of a module: the statements that a function of it depends on.

A module often holds many steps. An edit to one of them must not make the others run again, and an
edit to what a step uses must. So of a module those statements count that bind a name which the
function mentions, directly or through others, and all that may have an effect on others without
being mentioned: calls, loops, changes of attributes or entries, decorators and base classes of the
user's own. Where names cannot be told, as with ``import *`` or ``eval``, nothing is said, and the
whole module counts.

Standard library only.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["part_for"]

# Who calls one of these may reach any name.
_DYNAMIC = frozenset({"eval", "exec", "globals", "locals", "vars", "__import__"})
_MODULE_NAMES = frozenset(
    {
        "__annotations__",
        "__builtins__",
        "__doc__",
        "__file__",
        "__loader__",
        "__name__",
        "__package__",
        "__path__",
        "__spec__",
    }
)
_BINDING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
# Their decorators and base classes do nothing to other definitions.
_INERT = frozenset({"abc", "contextlib", "dataclasses", "enum", "functools", "typing", "zentfx"})

_DECORATORS = frozenset({"classmethod", "property", "staticmethod", "setter"})
# Functions of Python that give something back and do nothing else.
_PURE = frozenset(
    "abs bool bytes complex dict divmod float frozenset hash int len list max min object pow range "
    "repr reversed round set slice sorted str sum super tuple type zip".split()
)


@dataclass(frozen=True)
class _Statement:
    """A statement of a module.

    Attributes:
        lines: Its line numbers, from 1.
        binds: Names of the module that it may set.
        reads: Names of the module that it looks up.
        always: Whether it may have an effect on others that do not mention it.
    """

    lines: range
    binds: frozenset[str]
    reads: frozenset[str]
    always: bool


def part_for(text: str, name: str, is_users: Callable[[str], bool]) -> str | None:
    """Finds the part of a module that a function, or a class, depends on.

    Args:
        text: The module's source.
        name: A name that is defined at its top.
        is_users: Says of the first part of a dotted module name whether it is the user's own.

    Returns:
        The lines of that part, in their order; None where it cannot be told.
    """
    homes = set(_imports(text).values())
    statements = _statements(text, frozenset(home for home in homes if home and is_users(home)))
    if statements is None:
        return None
    binding: dict[str, list[_Statement]] = {}
    for statement in statements:
        for bound in statement.binds:
            binding.setdefault(bound, []).append(statement)
    if name not in binding:
        return None
    kept: dict[int, _Statement] = {}
    waiting = [*binding[name], *(item for item in statements if item.always)]
    while waiting:
        statement = waiting.pop()
        if id(statement) in kept:
            continue
        kept[id(statement)] = statement
        for read in statement.reads:
            if read in binding:
                waiting.extend(binding[read])
            elif read in _DYNAMIC or not (hasattr(builtins, read) or read in _MODULE_NAMES):
                return None
    lines = text.splitlines(keepends=True)
    numbers = sorted({number for statement in kept.values() for number in statement.lines})
    return "".join(lines[number - 1] for number in numbers)


@lru_cache(maxsize=64)
def _imports(text: str) -> dict[str, str]:
    return dict(_imported(ast.parse(text).body))


@lru_cache(maxsize=64)
def _statements(text: str, users: frozenset[str]) -> tuple[_Statement, ...] | None:
    """The statements of a module; None if it takes all names of another one."""
    tree = ast.parse(text)
    imports = _imports(text)
    if "*" in imports:
        return None
    lines = text.splitlines(keepends=True)
    inert = _Inert(tree.body, imports, users)
    found = []
    for node in tree.body:
        numbers = range(_first_line(node), (node.end_lineno or node.lineno) + 1)
        reads = frozenset(_reads("".join(lines[number - 1] for number in numbers)))
        found.append(_Statement(numbers, frozenset(_binds(node)), reads, not inert.is_inert(node)))
    read_by_any = {name for statement in found for name in statement.reads}
    return tuple(
        # What is imported and never mentioned is imported for what its import does.
        _Statement(item.lines, item.binds, item.reads, always=True)
        if isinstance(node, (ast.Import, ast.ImportFrom)) and not item.binds & read_by_any
        else item
        for node, item in zip(tree.body, found, strict=True)
    )


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(item.lineno for item in decorators)])


def _imported(body: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Names that imports bind, each with the first part of the module's name; empty if relative."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.asname or alias.name.partition(".")[0], alias.name.partition(".")[0]
            elif isinstance(node, ast.ImportFrom):
                home = "" if node.level else (node.module or "").partition(".")[0]
                for alias in node.names:
                    yield alias.asname or alias.name, home


def _binds(node: ast.AST) -> Iterator[str]:
    """Names of the module that a statement may set."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]
    else:
        for inner in _here(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, (ast.Store, ast.Del)):
                yield inner.id
            elif isinstance(inner, ast.ExceptHandler) and inner.name:
                yield inner.name
            elif inner is not node and isinstance(inner, _BINDING):
                yield from _binds(inner)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Global):
            yield from inner.names


def _here(node: ast.AST) -> Iterator[ast.AST]:
    """A node and those below it, without what is inside of functions and classes."""
    yield node
    if not isinstance(node, (*_BINDING, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _here(child)


def _reads(text: str) -> Iterator[str]:
    """The names in a source text that are looked up in its module."""
    waiting = [symtable.symtable(text, "<source>", "exec")]
    while waiting:
        table = waiting.pop()
        waiting.extend(table.get_children())
        for symbol in table.get_symbols():
            if symbol.is_referenced() and symbol.is_global():
                yield symbol.get_name()


class _Inert:
    """Says which statements do nothing but bind names.

    Args:
        body: The module's statements.
        imports: Names that imports bind, with the first part of the module's name.
        users: Those of them that are the user's own.
    """

    def __init__(
        self, body: Iterable[ast.stmt], imports: dict[str, str], users: frozenset[str]
    ) -> None:
        self._imports = imports
        self._users = users
        self._pipelines = {
            node.name
            for node in body
            if isinstance(node, ast.FunctionDef)
            and any(self._home(item) == "zentfx" for item in node.decorator_list)
        }

    def is_inert(self, node: ast.stmt) -> bool:
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)):
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            return self._all_inert(node.decorator_list) and all(map(self._is_plain, defaults))
        if isinstance(node, ast.ClassDef):
            return self._is_inert_class(node)
        if isinstance(node, ast.Assign):
            return all(map(_is_plain_target, node.targets)) and self._is_plain(node.value)
        if isinstance(node, ast.AnnAssign):
            plain = node.value is None or self._is_plain(node.value)
            return plain and _is_plain_target(node.target)
        if isinstance(node, ast.Expr):
            return isinstance(node.value, ast.Constant) or self._runs_pipeline(node.value)
        if isinstance(node, ast.If):
            # What a script does when it is run, it does after all that its steps are made of.
            return _is_main(node.test) or all(map(self.is_inert, [*node.body, *node.orelse]))
        if isinstance(node, ast.Try):
            inner = [*node.body, *node.orelse, *node.finalbody]
            inner += [item for handler in node.handlers for item in handler.body]
            return all(map(self.is_inert, inner))
        return False

    def _is_inert_class(self, node: ast.ClassDef) -> bool:
        if not (self._all_inert(node.decorator_list) and all(map(self.is_inert, node.body))):
            return False
        parents = [*node.bases, *(item.value for item in node.keywords if item.arg == "metaclass")]
        for parent in parents:
            root = _root(parent)
            # A materializer has to do with every value of its type.
            if root is None or _last(parent) == "BaseMaterializer":
                return False
            if root in self._imports:
                home = self._imports[root]
                if not home or home in self._users:
                    return False
            elif not hasattr(builtins, root):
                return False
        return True

    def _all_inert(self, decorators: Iterable[ast.expr]) -> bool:
        return all(self._home(item) in _INERT or _last(item) in _DECORATORS for item in decorators)

    def _is_plain(self, value: ast.expr) -> bool:
        """Whether an expression calls nobody but installed packages and a few of Python's own."""
        return all(
            self._runs_pipeline(node) or self._is_known(node.func)
            for node in ast.walk(value)
            if isinstance(node, ast.Call)
        )

    def _is_known(self, function: ast.expr) -> bool:
        root = _root(function)
        if root in self._imports:
            home = self._imports[root]
            return bool(home) and home not in self._users
        return isinstance(function, ast.Name) and root in _PURE

    def _home(self, node: ast.expr) -> str:
        root = _root(node)
        return self._imports.get(root, "") if root is not None else ""

    def _runs_pipeline(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Call):
            return False
        values = [*node.args, *(item.value for item in node.keywords)]
        plain = all(isinstance(value, (ast.Constant, ast.Name)) for value in values)
        return plain and isinstance(node.func, ast.Name) and node.func.id in self._pipelines


def _is_plain_target(node: ast.expr) -> bool:
    if isinstance(node, (ast.Tuple, ast.List)):
        return all(map(_is_plain_target, node.elts))
    if isinstance(node, ast.Starred):
        return _is_plain_target(node.value)
    return isinstance(node, ast.Name)


def _is_main(test: ast.expr) -> bool:
    return ast.dump(test) == ast.dump(ast.parse('__name__ == "__main__"', mode="eval").body)


def _root(node: ast.expr) -> str | None:
    """The name that a decorator or a base class begins with."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
