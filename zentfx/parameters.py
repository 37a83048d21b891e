"""Parameters of steps: which values can be recorded, how they are checked, and their exact text.

A *parameter* is a keyword of a constructor. Its value is an int, float, str, bool or None, a list,
tuple or str-keyed dict of them, a :class:`pathlib.Path` (an input file or folder), or a
:class:`Secret`. The annotation, where there is one, says which; values are converted once, before
the constructor's body runs, so that what is recorded is what the constructor receives. An enum's
member, or a value of a class that derives from str, int or float, is recorded as its plain value,
and made again by the annotation.

Standard library only: everything in the package stands on this module.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import json
import math
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zentfx.errors import (
    ParameterError,
    ParameterTypeError,
    StepDefinitionError,
    UnknownParameterError,
    near_matches,
)
from zentfx.type_hints import resolved_hints, unresolved_in

__all__ = [
    "MISSING",
    "Parameter",
    "Secret",
    "bind",
    "canonical_json",
    "coerce",
    "decode",
    "encode",
    "merged_parameters",
    "ordered_json",
]

MISSING: Any = inspect.Parameter.empty

_ALLOWED = (
    "int, float, str, bool, None, lists, tuples and str-keyed dicts of them, pathlib.Path, Secret, "
    "and members of an enum that the annotation names"
)
_DEEPEST = 64  # containers in each other: YAML and JSON are read and written by recursion
_BASIC = (int, float, str)
# Tags of the two types that JSON does not have. User dicts with these keys are refused, so that a
# text always decodes to what was encoded.
_PATH_TAG = "$path"
_SECRET_TAG = "$secret"


@dataclasses.dataclass(frozen=True)
class Secret:
    """The name of an environment variable whose value a step needs.

    Only the name is recorded. The value is read when :meth:`value` is called, and is never part of
    the metadata store, of YAML or of logs.

    Args:
        variable: The environment variable's name.
    """

    variable: str

    def __post_init__(self) -> None:
        if not isinstance(self.variable, str) or not self.variable:
            raise ParameterTypeError(
                f"Secret(...) takes the name of an environment variable, not {self.variable!r}."
            )

    def value(self) -> str:
        """Reads the secret.

        Returns:
            The environment variable's value.

        Raises:
            ParameterError: If the variable is not set.
        """
        try:
            return os.environ[self.variable]
        except KeyError:
            raise ParameterError(
                f"The environment variable {self.variable!r}, which a Secret names, is not set. "
                "Set it for the process that runs the step."
            ) from None


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One keyword of a constructor.

    Attributes:
        name: The keyword.
        annotation: The resolved annotation, or ``MISSING``.
        default: The default, or ``MISSING`` where the keyword is required.
    """

    name: str
    annotation: Any = MISSING
    default: Any = MISSING

    def __post_init__(self) -> None:
        if self.annotation is MISSING and _is_derived(type(self.default)):
            object.__setattr__(self, "annotation", type(self.default))

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is MISSING

    def coerce(self, value: Any, owner: str) -> Any:
        """Converts one value to what the annotation asks for; see :func:`coerce`."""
        if value is None and self.default is None:
            return None  # `metrics: list[str] = None` means Optional, as it did before PEP 484
        where = f"{owner}: parameter {self.name!r}"
        _check_depth(value, where)
        result = coerce(value, self.annotation, where)
        if _has_derived(result):
            again = coerce(decode(encode(result)), self.annotation, where)
            if not _is_same(again, result):
                raise ParameterError(
                    f"{where}: {result!r} is recorded as its plain value, and would come back as "
                    f"{again!r}. Annotate it with one type that has it."
                )
        return result


def merged_parameters(
    constructors: Sequence[Callable[..., Any]], owner: str
) -> dict[str, Parameter]:
    """Merges the keywords of a chain of constructors that pass ``**kwargs`` on.

    Args:
        constructors: The ``__init__`` functions along the MRO, most derived first.
        owner: The class, for messages.

    Returns:
        The parameters by name. A name that several constructors declare is the most derived one's.
        The chain ends at the first constructor without ``**kwargs``.

    Raises:
        StepDefinitionError: If a constructor has ``*args`` or positional-only parameters: they have
            no names under which they could be recorded.
    """
    merged: dict[str, Parameter] = {}
    for constructor in constructors:
        passes_on = False
        hints = resolved_hints(constructor)
        for item in list(inspect.signature(constructor).parameters.values())[1:]:
            if item.kind is item.VAR_KEYWORD:
                passes_on = True
            elif item.kind in (item.VAR_POSITIONAL, item.POSITIONAL_ONLY):
                raise StepDefinitionError(
                    f"{owner}: the constructor has {item}, but every parameter is recorded under "
                    "its name. Use keyword parameters."
                )
            else:
                annotation = hints.get(item.name, item.annotation)
                merged.setdefault(item.name, Parameter(item.name, annotation, item.default))
        if not passes_on:
            break
    return merged


def bind(
    schema: Mapping[str, Parameter],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    owner: str,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Binds the arguments of a call, before the callee's body runs.

    Args:
        schema: The parameters, in order.
        args: Positional arguments.
        kwargs: Keyword arguments.
        owner: Whose call it is, for messages.

    Returns:
        The arguments that were given, and those with the defaults of the others added; both by
        name, converted, and independent of the caller's objects.

    Raises:
        UnknownParameterError: For a keyword that is not in ``schema``, or too many arguments.
        ParameterError: For a parameter that is missing.
        ParameterTypeError: For a value that its parameter does not take.
    """
    names = list(schema)
    if len(args) > len(names):
        raise UnknownParameterError(
            f"{owner} takes at most {len(names)} arguments ({', '.join(names)}); {len(args)} came."
        )
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name in given:
            raise UnknownParameterError(f"{owner}: parameter {name!r} was given twice.")
        if name not in schema:
            raise UnknownParameterError(
                f"{owner} has no parameter {name!r}.{near_matches(name, names)}"
            )
        given[name] = value
    missing = [name for name, item in schema.items() if item.required and name not in given]
    if missing:
        raise ParameterError(f"{owner} needs {', '.join(map(repr, missing))}; it was not given.")
    given = {name: schema[name].coerce(value, owner) for name, value in given.items()}
    bound = {
        name: given[name] if name in given else item.coerce(item.default, owner)
        for name, item in schema.items()
    }
    return given, bound


def coerce(value: Any, annotation: Any, where: str) -> Any:
    """Converts a value to what an annotation asks for, or refuses it.

    Lossless conversions only: an int for a float, a numpy scalar for its Python twin, a str for a
    ``Path``, a list for a tuple and the other way round. Containers are copied.

    Args:
        value: What came.
        annotation: A type or a construct of ``typing``; ``MISSING``, ``Any`` and classes that this
            module does not know take every value that can be recorded.
        where: Step and parameter, for messages.

    Returns:
        The value to record and to pass on. Relative paths are made absolute from the working
        directory.

    Raises:
        ParameterTypeError: If the value has another type, or one that cannot be recorded.
        ParameterError: If it is NaN or infinite, or a string that is not valid Unicode.
    """
    if (unresolved := unresolved_in(annotation)) is not None:
        raise StepDefinitionError(
            f"{where}: its annotation {unresolved.text!r} cannot be resolved ({unresolved.error}). "
            "Import what it names at run time, not under TYPE_CHECKING."
        )
    value = _twin(value)
    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return coerce(value, arguments[0], where)
    if isinstance(origin, type) and _is_derived(origin):
        return _coerce_derived(value, origin, where)
    if origin is typing.Union or origin is types.UnionType:
        return _coerce_union(value, annotation, arguments, where)
    if origin is typing.Literal:
        for item in arguments:
            if _is_same(value, item) or _is_same(_plain_scalar(value), _plain_scalar(item)):
                return item
        raise ParameterError(
            f"{where} must be one of {', '.join(map(repr, arguments))}; {value!r} came."
        )
    converter = _CONVERTERS.get(origin) if isinstance(origin, collections.abc.Hashable) else None
    if converter is None:
        return _coerce_any(value, where)
    return converter(_plain_scalar(value), arguments, annotation, where)


def _is_derived(cls: type) -> bool:
    """Whether values of a class are recorded as plain ones: an enum, or derived from str, say.

    Scalars of NumPy have plain twins, which take their place.
    """
    if issubclass(cls, enum.Enum):
        return True
    return issubclass(cls, _BASIC) and cls not in (*_BASIC, bool) and not hasattr(cls, "item")


def _coerce_derived(value: Any, cls: type, where: str) -> Any:
    """A value of a class that is recorded as its plain one, from either."""
    if isinstance(value, cls):
        _coerce_any(_plain_scalar(value), where)  # which says what cannot be recorded
    plain = encode(value)
    if issubclass(cls, enum.Enum) and not issubclass(cls, enum.Flag):
        made = next((item for item in cls if _is_same(encode(item), plain)), None)
    else:
        made = _made(cls, plain)
    if type(made) is not cls or not _is_same(encode(made), plain):
        raise _mismatch(value, cls, where)
    return made


def _made(cls: Any, plain: Any) -> Any:
    try:
        return cls(plain)
    except Exception:  # noqa: BLE001 - whatever a class of the user's raises
        return None


def _check_depth(value: Any, where: str) -> None:
    level, depth = [value], 0
    while level := [
        part
        for item in level
        if isinstance(item, (list, tuple, dict))
        for part in (item.values() if isinstance(item, dict) else item)
    ]:
        depth += 1
        if depth > _DEEPEST:
            raise ParameterError(
                f"{where} has more than {_DEEPEST} lists or dicts in each other. Pass such a thing "
                "as an artifact, or as a file."
            )


def _has_derived(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_derived, value))
    if isinstance(value, dict):
        return any(map(_has_derived, [*value, *value.values()]))
    return _is_derived(type(value))


def _is_same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all through."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        one, other = [*one.items()], [*other.items()]
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _twin(value: Any) -> Any:
    """The Python twin of a numpy scalar; else the value."""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    return value


def _plain_scalar(value: Any) -> Any:
    """The plain value of a numpy scalar, an enum's member, or a subclass of str, int or float."""
    value = _twin(value)
    if isinstance(value, enum.Enum):
        return _plain_scalar(value.value)
    if isinstance(value, str) and type(value) is not str:
        return "".join(value)  # not str(value): an enum's is its name
    if isinstance(value, int) and type(value) not in (int, bool):
        return int.__int__(value)
    if isinstance(value, float) and type(value) is not float:
        return float.__float__(value)
    return value


def _coerce_union(value: Any, annotation: Any, members: tuple[Any, ...], where: str) -> Any:
    real = [member for member in members if member is not type(None)]
    if value is not None and len(real) == 1:
        return coerce(value, real[0], where)  # its message says more than one about Optional
    # A member that takes the value unchanged comes before one that converts it: 1 stays an int in
    # `float | int`, and "x" a str in `Path | str`.
    converted = []
    for member in members:
        try:
            result = coerce(value, member, where)
        except ParameterError:
            continue
        if type(result) is type(value) and result == value:
            return result
        converted.append(result)
    if converted:
        return converted[0]
    raise _mismatch(value, annotation, where)


def _coerce_any(value: Any, where: str) -> Any:
    if value is None:
        return None
    converter = _CONVERTERS.get(type(value))
    if converter is None and _is_derived(type(value)):
        name = type(value).__name__
        plain = _plain_scalar(value)
        raise ParameterTypeError(
            f"{where}: nothing says that {value!r} is a {name}, so the step would get {plain!r}. "
            f"Annotate the parameter: {name}; or pass {plain!r}."
        )
    if converter is None:
        raise ParameterTypeError(
            f"{where}: a value of type {type(value).__name__} cannot be recorded; allowed are "
            f"{_ALLOWED}. Pass such a thing as an artifact, or build it inside the step."
        )
    if isinstance(value, tuple):
        value = list(value)  # JSON has one kind of sequence: only an annotation can ask for a tuple
        converter = _coerce_list
    return converter(value, (), type(value), where)


def _mismatch(value: Any, annotation: Any, where: str) -> ParameterTypeError:
    wanted = getattr(annotation, "__name__", None) if isinstance(annotation, type) else None
    wanted = wanted or str(annotation).replace("typing.", "")
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        wanted += f" (one of {', '.join(repr(_plain_scalar(item)) for item in annotation)})"
    return ParameterTypeError(
        f"{where} must be {wanted}; {value!r} of type {type(value).__name__} came."
    )


def _coerce_none(value: Any, _args: Any, annotation: Any, where: str) -> None:
    if value is not None:
        raise _mismatch(value, annotation, where)


def _coerce_bool(value: Any, _args: Any, annotation: Any, where: str) -> bool:
    if type(value) is not bool:
        raise _mismatch(value, annotation, where)
    return value


def _coerce_int(value: Any, _args: Any, annotation: Any, where: str) -> int:
    if type(value) is not int:
        raise _mismatch(value, annotation, where)
    return value


def _coerce_float(value: Any, _args: Any, annotation: Any, where: str) -> float:
    if type(value) not in (int, float):
        raise _mismatch(value, annotation, where)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ParameterError(f"{where} must be a finite number; {value!r} came.")
    return number


def _coerce_str(value: Any, _args: Any, annotation: Any, where: str) -> str:
    if type(value) is not str:
        raise _mismatch(value, annotation, where)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ParameterError(
            f"{where} must be valid Unicode text; {value!r} has a lone surrogate."
        ) from error
    return value


def _coerce_path(value: Any, _args: Any, annotation: Any, where: str) -> Path:
    if not isinstance(value, (str, Path)):
        raise _mismatch(value, annotation, where)
    _coerce_str(str(value), (), str, where)
    # Not resolve(): a symbolic link is the user's name for the data.
    return Path(os.path.abspath(os.path.expanduser(value)))  # noqa: PTH100, PTH111


def _coerce_secret(value: Any, _args: Any, annotation: Any, where: str) -> Secret:
    if not isinstance(value, Secret):
        raise _mismatch(value, annotation, where)
    return value


def _coerce_list(value: Any, args: tuple[Any, ...], annotation: Any, where: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise _mismatch(value, annotation, where)
    item = args[0] if args else MISSING
    return [coerce(part, item, f"{where}[{index}]") for index, part in enumerate(value)]


def _coerce_tuple(
    value: Any, args: tuple[Any, ...], annotation: Any, where: str
) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise _mismatch(value, annotation, where)
    if args and args[-1] is not Ellipsis:
        if len(value) != len(args):
            raise _mismatch(value, annotation, where)
        members = args
    else:
        members = (args[0] if args else MISSING,) * len(value)
    pairs = zip(value, members, strict=False)
    return tuple(coerce(part, item, f"{where}[{i}]") for i, (part, item) in enumerate(pairs))


def _coerce_dict(value: Any, args: tuple[Any, ...], annotation: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _mismatch(value, annotation, where)
    kind, item = args if len(args) == 2 else (MISSING, MISSING)
    result = {}
    for key, part in value.items():
        text = _plain_scalar(key)
        if type(text) is not str:
            raise ParameterTypeError(f"{where}: keys of a dict must be str; {key!r} came.")
        if text in (_PATH_TAG, _SECRET_TAG):
            raise ParameterError(f"{where}: the key {text!r} is reserved.")
        _coerce_str(text, (), str, where)
        place = f"{where}[{text!r}]"
        result[coerce(key, kind, place)] = coerce(part, item, place)
    return result


_CONVERTERS: dict[Any, Callable[[Any, tuple[Any, ...], Any, str], Any]] = {
    None: _coerce_none,
    type(None): _coerce_none,
    bool: _coerce_bool,
    int: _coerce_int,
    float: _coerce_float,
    str: _coerce_str,
    Path: _coerce_path,
    type(Path()): _coerce_path,
    Secret: _coerce_secret,
    list: _coerce_list,
    collections.abc.Sequence: _coerce_list,
    collections.abc.Iterable: _coerce_list,
    tuple: _coerce_tuple,
    dict: _coerce_dict,
    collections.abc.Mapping: _coerce_dict,
}


def encode(value: Any, root: Path | None = None) -> Any:
    """Turns a bound value into plain JSON data.

    Args:
        value: A value that :func:`coerce` returned.
        root: Paths inside this folder are written relative to it, so that the folder can be moved.

    Returns:
        JSON data; a path is ``{"$path": …}``, a secret ``{"$secret": <variable>}``, and an enum's
        member its plain value.
    """
    if isinstance(value, Path):
        if root is not None and value.is_relative_to(root):
            value = value.relative_to(root)
        return {_PATH_TAG: value.as_posix()}
    if isinstance(value, Secret):
        return {_SECRET_TAG: value.variable}
    if isinstance(value, (list, tuple)):
        return [encode(part, root) for part in value]
    if isinstance(value, dict):
        return {_plain_scalar(key): encode(part, root) for key, part in value.items()}
    if isinstance(value, enum.Enum):
        return encode(value.value, root)
    return _plain_scalar(value)


def decode(data: Any, root: Path | None = None) -> Any:
    """Turns JSON data of :func:`encode` back into the value (tuples come back as lists).

    Args:
        data: JSON data.
        root: The folder that relative paths start from.

    Returns:
        The value.
    """
    if isinstance(data, list):
        return [decode(part, root) for part in data]
    if isinstance(data, dict):
        if data.keys() == {_PATH_TAG}:
            if not isinstance(data[_PATH_TAG], str):
                raise ParameterTypeError(f"{_PATH_TAG!r} takes a text; {data[_PATH_TAG]!r} came.")
            return (root or Path()) / data[_PATH_TAG]
        if data.keys() == {_SECRET_TAG}:
            return Secret(data[_SECRET_TAG])
        return {key: decode(part, root) for key, part in data.items()}
    return data


def ordered_json(data: Any) -> str:
    """The same as :func:`canonical_json`, with keys in their order: a step sees a dict's."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical_json(data: Any) -> str:
    """The one text of JSON data: ASCII, sorted keys, no spaces; floats round-trip exactly."""
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
