"""What a function says of its outputs: how many, how they are called, of which types."""

from __future__ import annotations

import ast
import inspect
import re
import string
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import CodeType
from typing import Any

from zentfx.errors import ParameterError, StepDefinitionError, UnknownParameterError, near_matches
from zentfx.names import check_length, length
from zentfx.parameters import MISSING
from zentfx.type_hints import resolved_hints

__all__ = [
    "ArtifactConfig",
    "Output",
    "check_name",
    "check_substitutions",
    "check_version",
    "declared_outputs",
]

# Placeholders that the run fills in, with the number of their characters.
_BUILT_IN = {"date": 10, "time": 15}
_LONGEST_NUMBER = 10  # digits
_NOT_IN_NAMES = ("/", "\\", "::", "@")


@dataclass(frozen=True)
class ArtifactConfig:
    """How an output is kept, as an annotation: ``Annotated[Model, ArtifactConfig(name="best")]``.

    Attributes:
        name: Name of the artifact, with placeholders as in ``with_options(substitutions=…)``.
        version: A version of your own instead of 1, 2, …; each can be used once.
        tags: Words to find it by.
    """

    name: str | None = None
    version: str | int | None = None
    tags: Sequence[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.tags, str) or not isinstance(self.tags, Iterable):
            raise StepDefinitionError(
                f"ArtifactConfig: tags must be a list of texts; {self.tags!r} came."
            )
        object.__setattr__(self, "tags", tuple(self.tags))
        if not all(isinstance(tag, str) and tag for tag in self.tags):
            raise StepDefinitionError(
                f"ArtifactConfig: tags must be a list of texts; {self.tags!r} came."
            )
        for tag in self.tags:
            check_length(tag, "ArtifactConfig: a tag", StepDefinitionError)
        if self.version is not None:
            object.__setattr__(self, "version", check_version(self.version, "ArtifactConfig"))


@dataclass(frozen=True)
class Output:
    """One output of a function.

    Attributes:
        key: What it is called in the pipeline's wiring, and in a run's outputs.
        annotation: What it is; ``MISSING`` where nothing says.
        name: Name of its artifacts, perhaps with placeholders; None for one without a name.
        version: Its version, where the function says one.
        tags: Tags of its versions.
    """

    key: str
    annotation: Any = MISSING
    name: str | None = None
    version: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names in braces in :attr:`name`."""
        return tuple(_placeholders(self.name or ""))

    def named(self, substitutions: Mapping[str, str]) -> Output:
        """This output with placeholders filled in.

        Args:
            substitutions: Values by placeholder; others stay.

        Returns:
            The output.
        """
        keep = {field: f"{{{field}}}" for field in self.placeholders}
        name = None if self.name is None else self.name.format(**{**keep, **substitutions})
        return replace(self, name=name)


def declared_outputs(function: Callable[..., Any]) -> tuple[Output, ...]:
    """Reads the outputs of a function from its return annotation.

    ``-> None`` has none. ``-> A`` is one, called ``output``; so is ``-> tuple``. ``-> Tuple[A, B]``
    are two, ``output_0`` and ``output_1``, and so is ``return a, b`` without an annotation; but a
    function annotated with ``Tuple[A, B]`` that says ``return pair`` and no ``return a, b`` has
    one, which is a tuple. ``Annotated[A, "name"]`` names an output.

    Args:
        function: The function.

    Returns:
        Its outputs.

    Raises:
        StepDefinitionError: If a name cannot be one, or two are the same.
    """
    annotation = resolved_hints(function).get("return", MISSING)
    if annotation is type(None) or annotation is None:
        return ()
    owner = function.__qualname__
    if typing.get_origin(annotation) is tuple and Ellipsis not in typing.get_args(annotation):
        members: tuple[Any, ...] = typing.get_args(annotation)
        named = any(typing.get_origin(item) is typing.Annotated for item in members)
        if len(members) > 1 and (named or _returns_several(function)):
            outputs = [
                _output(item, f"output_{index}", owner) for index, item in enumerate(members)
            ]
            return _distinct(outputs, owner)
    if annotation is MISSING:
        lengths = _returned(function)
        if lengths == []:
            return ()
        if lengths and lengths[0] is not None and set(lengths) == {lengths[0]}:
            return tuple(Output(f"output_{index}") for index in range(lengths[0]))
    return (_output(annotation, "output", owner),)


def _returns_several(function: Callable[..., Any]) -> bool:
    """Whether a function says ``return a, b``, or does not let us know what it says."""
    lengths = _returned(function)
    return not lengths or any(length is not None for length in lengths)


def _distinct(outputs: Sequence[Output], owner: str) -> tuple[Output, ...]:
    keys = [output.key for output in outputs]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise StepDefinitionError(f"{owner}: two outputs are called {twice!r}.")
    return tuple(outputs)


def _output(annotation: Any, key: str, owner: str) -> Output:
    if typing.get_origin(annotation) is not typing.Annotated:
        return Output(key, annotation)
    kind, *extras = typing.get_args(annotation)
    for extra in extras:
        if isinstance(extra, str):
            extra = ArtifactConfig(name=extra)
        if isinstance(extra, ArtifactConfig):
            version = None if extra.version is None else str(extra.version)
            if extra.name is not None:
                check_name(extra.name, owner, version)
                # Braces have no place in the name of a folder; wiring is written with a dot.
                key = re.sub("[{}]", "", extra.name).replace(".", "_")
                check_length(key, f"{owner}: the name of an output", StepDefinitionError)
            if version is not None and extra.name is None:
                raise StepDefinitionError(
                    f"{owner}: an output with a version needs a name: ArtifactConfig(name=…, "
                    f"version={version!r})."
                )
            return Output(key, kind, extra.name, version, tuple(extra.tags))
    return Output(key, kind)


def check_name(name: str, owner: str, version: str | None = None) -> None:
    """Checks the name of an artifact, which may have placeholders.

    Args:
        name: The name.
        owner: Who uses it, for the message.
        version: Its version; None for a number that follows.

    Raises:
        StepDefinitionError: If it cannot be one.
    """
    if not isinstance(name, str):
        raise StepDefinitionError(f"{owner}: the name of an artifact is a text; {name!r} came.")
    where = f"{owner}: the output name {name!r}"
    _check_text(name, where)
    if not re.sub("[{}]", "", name):
        raise StepDefinitionError(f"{where} is empty.")
    try:
        fields = [(field, spec, how) for _, field, spec, how in string.Formatter().parse(name)]
    except ValueError as error:
        raise StepDefinitionError(f"{where} has an odd brace: {error}.") from error
    for field, spec, how in fields:
        if field is not None and (not field.isidentifier() or spec or how):
            raise StepDefinitionError(
                f"{where} has the placeholder {{{field}}}; expected a name in braces, as in "
                "'{date}_report'."
            )
    # It is kept as "<name>@<version>". Of the other placeholders the values are not known yet.
    filled = "".join(
        text + "0" * _BUILT_IN.get(str(field), 0)
        for text, field, _, _ in string.Formatter().parse(name)
    )
    beside = 1 + (_LONGEST_NUMBER if version is None else length(version))
    check_length(filled, f"{owner}: the name of an output", StepDefinitionError, beside=beside)


def check_version(version: object, owner: str) -> str:
    """Checks a version that somebody has chosen.

    Args:
        version: A text, or an int.
        owner: Who, for the message.

    Returns:
        The version as text.

    Raises:
        StepDefinitionError: If it cannot be one.
    """
    if isinstance(version, bool) or not isinstance(version, (str, int)):
        raise StepDefinitionError(f"{owner}: version must be a text or an int; {version!r} came.")
    _check_text(str(version), f"{owner}: the version {str(version)!r}")
    check_length(str(version), f"{owner}: a version", StepDefinitionError, beside=2)  # "n@…"
    if "{" in str(version) or "}" in str(version):
        raise StepDefinitionError(
            f"{owner}: the version {str(version)!r} must not have braces; placeholders are for "
            "names."
        )
    return str(version)


def _check_text(text: str, where: str) -> None:
    if not text.strip() or text != text.strip() or not text.isprintable() or text in (".", ".."):
        raise StepDefinitionError(
            f"{where} must be printable characters, without spaces around them."
        )
    for part in _NOT_IN_NAMES:
        if part in text:
            raise StepDefinitionError(f"{where} must not have {part!r} in it.")


def _placeholders(name: str) -> Iterator[str]:
    for _, field, _, _ in string.Formatter().parse(name):
        if field is not None:
            yield field


def check_substitutions(outputs: Sequence[Output], given: Mapping[str, str], owner: str) -> None:
    """Checks that all placeholders in names have a value, and that the names are distinct.

    Args:
        outputs: The outputs.
        given: Values by placeholder.
        owner: The step, for the message.

    Raises:
        UnknownParameterError: If one has none, or a value has no placeholder.
        ParameterError: If a value is no plain text, or two outputs would have the same name.
        StepDefinitionError: If what comes out cannot be a name.
    """
    used = {field for output in outputs for field in output.placeholders}
    for field in given:
        if field not in used or field in _BUILT_IN:
            known = sorted(used - set(_BUILT_IN))
            raise UnknownParameterError(
                f"{owner}: no output's name has the placeholder {{{field}}}."
                f"{near_matches(field, known)}"
            )
    for field in used:
        if field not in _BUILT_IN and field not in given:
            raise UnknownParameterError(
                f"{owner}: the placeholder {{{field}}} in the name of an output has no value. Give "
                f'it one: {owner}.with_options(substitutions={{"{field}": …}}).'
            )
    for field, value in given.items():
        if "{" in value or "}" in value:
            raise ParameterError(
                f"{owner}: the value of the placeholder {{{field}}} must be plain text; {value!r} "
                "came."
            )
    named = [output.named(given) for output in outputs]
    names = [output.name for output in named if output.name is not None]
    for output in named:
        if output.name is not None:
            check_name(output.name, owner, output.version)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ParameterError(
            f"{owner}: with these substitutions two outputs are called {twice!r}. Each needs a "
            "name of its own."
        )


def _returned(function: Callable[..., Any]) -> list[int | None] | None:
    """What a function returns, by its text.

    Returns:
        For each return statement with a value, of how many parts it is a tuple, None if it is
        something else. None where there is no text.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else _returned_by(code)


# Kept from when the function was defined: the file may be edited while it is loaded.
@cache
def _returned_by(code: CodeType) -> list[int | None] | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    found: list[int | None] = []
    waiting: list[ast.AST] = list(ast.iter_child_nodes(tree.body[0])) if tree.body else []
    while waiting:
        node = waiting.pop()
        # What is defined inside returns something of its own.
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        if isinstance(node, ast.Return) and node.value is not None:
            value = node.value
            if isinstance(value, ast.Constant) and value.value is None:
                continue
            parts = value.elts if isinstance(value, ast.Tuple) else []
            known = len(parts) > 1 and not any(isinstance(item, ast.Starred) for item in parts)
            found.append(len(parts) if known else None)
        waiting.extend(ast.iter_child_nodes(node))
    return found
