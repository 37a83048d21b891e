"""Parts of a module: the statements that a function of it depends on.

A module often holds many steps. An edit to one of them must not make the others run again, and an
edit to what a step uses must. So of a module those statements count

- that bind a name which the function mentions, directly or through other definitions;
- that may have an effect (a call, an operator, a change of an entry, a decorator, a base class) and
  mention, directly or through the functions that they call, any data, class or package that the
  part has to do with: only so can they change what the part does;
- that import the user's own modules without mentioning them, that define materializers, and that
  set something of a package for the whole process, as ``numpy.random.seed(0)`` does.

Where names cannot be told, as with ``import *`` or ``eval``, nothing is said, and the whole module
counts.

Standard library only.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from zentfx.source_code.expressions import is_plain

__all__ = ["Part", "names_in_texts", "names_read", "part_for"]

# Who mentions one of these may reach any name.
_DYNAMIC = frozenset({"eval", "exec", "globals", "locals", "vars", "__import__"})
_NAMESPACES = frozenset({"__globals__", "f_globals"})
# Who mentions `__name__` beside one of these may look itself up.
_MIRRORS = frozenset({"sys", "importlib", "inspect", "gc"})
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
# Packages whose settings change what is said and shown, and where modules are looked for.
_TALK = frozenset({"zentfx", "logging", "warnings", "matplotlib", "sys"})
# How the names end of what zentfx has to derive from besides materializers.
_NO_MATERIALIZERS = ("Step", "Datasource", "Pipeline")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NAMING = (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
_BINDING = (*_DEFINITIONS, ast.ClassDef, ast.Import, ast.ImportFrom)
# What all of the user's own modules are to each other: one may change another.
_USERS = "the user's modules"


@dataclass(frozen=True)
class _Statement:
    """A statement of a module.

    Attributes:
        node: It.
        text: Its source.
        binds: Names of the module that it may set.
        reads: Names of the module that it looks up.
        packages: What functions in it import: the first parts of the names of packages; those of
            the user's own are ``_USERS``.
        effects: Whether it may do more than bind names.
        literal: Whether its text tells all values that it binds.
        mirrors: Whether it may look up any name of the module by its text.
        always: Whether it counts for everybody.
        setting: Whether it sets something of a package, so that it counts for everybody too, though
            what else has to do with that package does not.
    """

    node: ast.stmt
    text: str
    binds: frozenset[str]
    reads: frozenset[str]
    packages: frozenset[str]
    effects: bool
    literal: bool
    mirrors: bool
    always: bool
    setting: bool


@dataclass(frozen=True)
class _Module:
    """A module's statements.

    Attributes:
        statements: They, in order.
        binding: Those that may set a name, by name.
        imports: The first part of the name of the package behind a name that nothing but imports
            set; that of the user's own is ``_USERS``.
        steps: Names of functions that are steps, and nothing else.
        pipelines: Names of functions that are pipelines, and nothing else.
        plain: Names of functions that nobody keeps anything on.
    """

    statements: tuple[_Statement, ...]
    binding: dict[str, tuple[_Statement, ...]]
    imports: dict[str, str]
    steps: frozenset[str]
    pipelines: frozenset[str]
    plain: frozenset[str]

    def needs(self, statement: _Statement) -> frozenset[str]:
        """What a statement looks up, for itself: the steps of a pipeline run as steps."""
        runs = not statement.binds.isdisjoint(self.pipelines)
        return statement.reads - self.steps if runs else statement.reads

    def is_data(self, names: Iterable[str]) -> bool:
        """Whether no function or class is among these: what starts a script is no setting."""
        made = [item.node for name in names for item in self.binding.get(name, ())]
        return not any(isinstance(node, (*_DEFINITIONS, ast.ClassDef)) for node in made)

    def resources(self, names: Iterable[str], packages: Iterable[str]) -> set[str]:
        """What of these has a state: all but functions, zentfx, and Python's own."""
        found = {self.imports.get(name, name) for name in names if name not in self.plain}
        known = self.binding.keys() | set(self.imports.values())
        return ((found & known) | {*packages}) - {"zentfx"}

    def reach(self, statement: _Statement) -> tuple[set[str], set[str]]:
        """The names and packages that a statement, when it is executed, may have to do with.

        Names that a function sets are among them, not only those that it reads. Steps that a
        pipeline calls are no part of that: they run as steps.
        """
        names: set[str] = set()
        touched = set(statement.binds)
        packages = set(statement.packages)
        waiting = [(name, False) for name in statement.reads]
        while waiting:
            name, in_pipeline = waiting.pop()
            if name in names or (in_pipeline and name in self.steps):
                continue
            names.add(name)
            if name in self.imports:
                continue
            for item in self.binding.get(name, ()):
                inside = in_pipeline or name in self.pipelines
                waiting.extend((read, inside) for read in item.reads)
                touched |= item.binds
                packages |= item.packages
        return names | touched, packages


class Part(NamedTuple):
    """What of a module a function depends on.

    Attributes:
        text: Its statements, in their order; None where they cannot be told, so that all count.
        computed: Names whose values no text tells, because they are computed when the module is
            loaded, as far as names can be told.
    """

    text: str | None
    computed: frozenset[str]


def part_for(text: str, name: str, is_users: Callable[[str], bool]) -> Part:
    """Finds the part of a module that a function, or a class, depends on.

    Args:
        text: The module's source, its lines ended as Python ends them.
        name: A name that is defined at its top.
        is_users: Says of the first part of a dotted module name whether it is the user's own.

    Returns:
        The part.
    """
    homes = {home for home in _homes(text) if home and home != "*"}
    module = _read(text, frozenset(home for home in homes if is_users(home)))
    if module is None or name not in module.binding:
        return Part(None, frozenset())
    kept: set[int] = set()
    reads: set[str] = set()
    bound: set[str] = set()
    packages: set[str] = set()
    waiting = [*module.binding[name], *(item for item in module.statements if item.always)]
    while waiting:
        while waiting:
            statement = waiting.pop()
            if id(statement) in kept:
                continue
            kept.add(id(statement))
            if statement.always or not isinstance(statement.node, (ast.Import, ast.ImportFrom)):
                bound |= statement.binds
            reads |= module.needs(statement)
            packages |= statement.packages
            for read in module.needs(statement):
                waiting.extend(module.binding.get(read, ()))
        state = module.resources(reads | bound, packages)
        waiting = [
            item
            for item in module.statements
            if item.effects
            and id(item) not in kept
            and not state.isdisjoint(module.resources(*module.reach(item)))
        ]
    waiting = [item for item in module.statements if item.setting and module.is_data(item.reads)]
    while waiting:
        statement = waiting.pop()
        if id(statement) not in kept:
            kept.add(id(statement))
            reads |= statement.reads
            for read in statement.reads:
                waiting.extend(module.binding.get(read, ()))
    part = [item for item in module.statements if id(item) in kept]
    computed = _computed(module, name, part)
    known = packages.union(module.imports.get(read, read) for read in reads)
    if (
        any(item.mirrors for item in part)
        or not all(_is_known(read, module) for read in reads)
        or ("__name__" in reads and not _MIRRORS.isdisjoint(known))
    ):
        return Part(None, computed)
    return Part("\n".join(item.text for item in part) + "\n", computed)


def _computed(module: _Module, name: str, part: list[_Statement]) -> frozenset[str]:
    """Names whose values the text of a part does not tell.

    Those are, of what the function needs, what no literal gives, and what a statement with an
    effect has to do with, as in ``TABLE.update(…)``; and what such statements are given. What they
    only set, in a loop over calls of a pipeline say, is no matter of the function.
    """
    needed: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in needed:
            needed.add(one)
            waiting += [read for item in module.binding.get(one, ()) for read in item.reads]
    found = {one for one in needed if any(not item.literal for item in module.binding.get(one, ()))}
    for item in part:
        if item.effects:
            reached = module.reach(item)[0]
            found |= needed & reached
            found |= {
                one
                for one in reached - item.binds
                if any(not other.literal for other in module.binding.get(one, ()))
            }
    return frozenset((found & module.binding.keys()) - module.imports.keys())


def _is_known(name: str, module: _Module) -> bool:
    if name in module.binding:
        return True
    return name not in _DYNAMIC and (hasattr(builtins, name) or name in _MODULE_NAMES)


@lru_cache(maxsize=64)
def _homes(text: str) -> frozenset[str]:
    return frozenset(home for _, home in _imported(ast.parse(text)))


@lru_cache(maxsize=64)
def _read(text: str, users: frozenset[str]) -> _Module | None:
    """Reads a module; None if it takes all names of another one."""
    tree = ast.parse(text)
    bound = [frozenset(_binds(node)) for node in tree.body]
    if any("*" in names for names in bound):
        return None
    counts: dict[str, int] = {}
    for names in bound:
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    imports = {
        # A relative import is one of the user's own.
        name: _USERS if not home or home in users else home
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name, home in _imported(node)
        if counts[name] == 1
    }
    effects = _Effects(imports)
    texts = _texts(text, tree.body)
    known = {name for names in bound for name in names}
    reads = [
        frozenset(names_read(part)) | known.intersection(names_in_texts(part)) for part in texts
    ]
    statements = []
    mirror = _mirror_names(tree)
    for node, part, names, read in zip(tree.body, texts, bound, reads, strict=True):
        others = [item for item in reads if item is not read]
        unmentioned = not any(names & item for item in others)
        of_users = any(not home or home in users for _, home in _imported(node))
        statements.append(
            _Statement(
                node,
                part,
                names,
                read,
                _packages_in(node, users),
                effects.has(node),
                _is_literal(node),
                _is_mirror(node, mirror),
                always=(of_users and unmentioned and isinstance(node, (ast.Import, ast.ImportFrom)))
                or effects.defines_materializer(node),
                setting=effects.is_setting(node),
            )
        )
    binding: dict[str, list[_Statement]] = {}
    for statement in statements:
        for name in statement.binds:
            binding.setdefault(name, []).append(statement)
    functions = {
        name: found[0].node
        for name, found in binding.items()
        if len(found) == 1 and isinstance(found[0].node, _DEFINITIONS)
    }
    steps = frozenset(name for name, node in functions.items() if effects.made_by(node, "step"))
    pipelines = frozenset(
        name for name, node in functions.items() if effects.made_by(node, "pipeline")
    )
    return _Module(
        tuple(statements),
        {name: tuple(found) for name, found in binding.items()},
        imports,
        steps=steps,
        pipelines=pipelines,
        plain=frozenset(functions.keys() - (_with_attributes(tree) - steps - pipelines)),
    )


def _is_literal(node: ast.stmt) -> bool:
    """Whether the values that a statement binds are those that its text says."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return node.value is None or _is_constant(node.value)
    if isinstance(node, _DEFINITIONS):
        return all(map(_is_constant, [*node.args.defaults, *filter(None, node.args.kw_defaults)]))
    return isinstance(node, (ast.ClassDef, ast.Import, ast.ImportFrom))


def _is_constant(value: ast.expr) -> bool:
    return not any(isinstance(inner, (ast.Name, ast.Call)) for inner in ast.walk(value))


def _packages_in(node: ast.stmt, users: frozenset[str]) -> frozenset[str]:
    """The packages that functions in a statement import, when they are called."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return frozenset()
    return frozenset(_USERS if not home or home in users else home for _, home in _imported(node))


def _with_attributes(tree: ast.AST) -> set[str]:
    """Names that something may be kept on: their attributes are mentioned, or set by a call."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(node.value.id)
        elif isinstance(node, ast.Call) and _last(node.func) in ("setattr", "delattr"):
            found.update(item.id for item in node.args[:1] if isinstance(item, ast.Name))
    return found


def _mirror_names(tree: ast.AST) -> frozenset[str]:
    """What Python's table of modules is called in a text: ``sys.modules``, as a rule."""
    found = {"sys.modules"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {f"{item.asname}.modules" for item in node.names if item.name == "sys"}
        elif isinstance(node, ast.ImportFrom) and node.module == "sys" and not node.level:
            found |= {item.asname or item.name for item in node.names if item.name == "modules"}
    return frozenset(found)


def _is_mirror(node: ast.stmt, mirror: frozenset[str]) -> bool:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute):
            owner = inner.value.id if isinstance(inner.value, ast.Name) else ""
            if inner.attr in _NAMESPACES or f"{owner}.{inner.attr}" in mirror:
                return True
        elif isinstance(inner, ast.Name) and inner.id in mirror:
            return True
    return False


def _texts(text: str, body: list[ast.stmt]) -> list[str]:
    """The source of each statement."""
    lines = text.split("\n")
    ranges = [(_first_line(node), node.end_lineno or node.lineno) for node in body]
    found = []
    for number, (node, (first, last)) in enumerate(zip(body, ranges, strict=True)):
        before = ranges[number - 1][1] if number else 0
        after = ranges[number + 1][0] if number + 1 < len(ranges) else last + 1
        # A line with another statement, or one that goes on with another.
        shared = before >= first or after <= last or lines[last - 1].rstrip().endswith("\\")
        found.append(ast.unparse(node) if shared else "\n".join(lines[first - 1 : last]))
    return found


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(item.lineno for item in decorators)])


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that imports bind, each with the first part of the module's name; empty if relative."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            home = "" if node.level else (node.module or "").partition(".")[0]
            for alias in node.names:
                yield alias.asname or alias.name, home


def _binds(node: ast.AST) -> Iterator[str]:
    """Names of the module that a statement may set."""
    if isinstance(node, (*_DEFINITIONS, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for name, _ in _imported(node):
            yield name
    else:
        for inner in _here(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, (ast.Store, ast.Del)):
                yield inner.id
            elif isinstance(inner, _NAMING) and inner.name:
                yield inner.name
            elif isinstance(inner, ast.MatchMapping) and inner.rest:
                yield inner.rest
            elif inner is not node and isinstance(inner, _BINDING):
                yield from _binds(inner)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Global):
            yield from inner.names
        elif isinstance(inner, ast.NamedExpr) and isinstance(inner.target, ast.Name):
            yield inner.target.id  # perhaps of an inner scope, which does no harm


def _here(node: ast.AST) -> Iterator[ast.AST]:
    """A node and those below it, without what is inside of functions and classes."""
    yield node
    if not isinstance(node, (*_BINDING, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _here(child)


def names_in_texts(text: str) -> Iterator[str]:
    """Names that pandas looks up by itself, as in ``frame.query("x > @LIMIT")``.

    Args:
        text: A source text.

    Yields:
        The names behind ``@`` in its string literals.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"@([^\W\d]\w*)", node.value)


def names_read(text: str) -> Iterator[str]:
    """The names in a source text that are looked up in its module.

    Args:
        text: The text.

    Yields:
        The names, some perhaps several times.
    """
    waiting = [symtable.symtable(text, "<source>", "exec")]
    while waiting:
        table = waiting.pop()
        waiting.extend(table.get_children())
        for symbol in table.get_symbols():
            # A class looks names up in its module that it sets only later.
            in_class = table.get_type() == "class" and not symbol.is_free()
            if symbol.is_referenced() and (symbol.is_global() or in_class):
                yield symbol.get_name()


class _Effects:
    """Says which statements may do more than bind names.

    Args:
        imports: The packages behind names that nothing but imports set.
    """

    def __init__(self, imports: dict[str, str]) -> None:
        self._imports = imports

    def has(self, node: ast.stmt) -> bool:
        """Whether a statement may have an effect."""
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)):
            return False
        if isinstance(node, _DEFINITIONS):
            arguments = node.args
            values = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
            values += [
                item for decorator in node.decorator_list for item in self._values_of(decorator)
            ]
            return not all(map(is_plain, values)) or not all(
                map(self._is_harmless, node.decorator_list)
            )
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            notes = [node.annotation] if isinstance(node, ast.AnnAssign) else []
            values = [*notes, *([node.value] if node.value is not None else [])]
            return not (all(map(_is_plain_target, targets)) and all(map(is_plain, values)))
        if isinstance(node, ast.Expr):
            return not isinstance(node.value, ast.Constant)
        return True

    def is_setting(self, node: ast.stmt) -> bool:
        """Whether a statement does nothing but set something of a package for the whole process."""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            place: ast.expr = node.value.func
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            place = node.targets[0]
            if isinstance(place, ast.Name):
                return False
        else:
            return False
        home = self._imports.get(_root(place) or "")
        return home is not None and home not in _TALK and home != _USERS

    def _values_of(self, decorator: ast.expr) -> list[ast.expr]:
        if not isinstance(decorator, ast.Call):
            return []
        return [*decorator.args, *(item.value for item in decorator.keywords)]

    def _is_harmless(self, decorator: ast.expr) -> bool:
        """Whether a decorator does nothing to other definitions."""
        if isinstance(decorator, ast.Call):
            decorator = decorator.func
        home = self._imports.get(_root(decorator) or "")
        last = _last(decorator)
        if home == "zentfx":
            return last in ("step", "pipeline")
        return home == "functools" and last in ("cache", "lru_cache", "wraps")

    def made_by(self, node: ast.stmt, decorator: str) -> bool:
        """Whether a function has this decorator of zentfx, and no other."""
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        if len(decorators) != 1:
            return False
        [only] = decorators
        if isinstance(only, ast.Call):
            only = only.func
        return self._imports.get(_root(only) or "") == "zentfx" and _last(only) == decorator

    def defines_materializer(self, node: ast.stmt) -> bool:
        """Whether a class may be a materializer, which has to do with every value of its type."""
        return any(
            self._imports.get(_root(base) or "", "zentfx") == "zentfx"
            and not (_root(base) in self._imports and _last(base).endswith(_NO_MATERIALIZERS))
            for inner in ast.walk(node)
            if isinstance(inner, ast.ClassDef)
            for base in inner.bases
            if not hasattr(builtins, _root(base) or "")
        )


def _is_plain_target(node: ast.expr) -> bool:
    if isinstance(node, (ast.Tuple, ast.List)):
        return all(map(_is_plain_target, node.elts))
    if isinstance(node, ast.Starred):
        return _is_plain_target(node.value)
    return isinstance(node, ast.Name)


def _root(node: ast.expr) -> str | None:
    """The name that a decorator or a base class begins with."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
