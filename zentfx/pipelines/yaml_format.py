"""The YAML form of pipelines.

Every message about a file names the file and the line. Loading is safe: no tags, no objects; the
only code that a file can name is a class that Python can import.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import zentfx
from zentfx.class_paths import class_path, find_class
from zentfx.errors import ConfigError, DataNotFoundError, NotFoundError, ZenTFXError, near_matches
from zentfx.parameters import decode, encode
from zentfx.steps.base import BaseStep
from zentfx.steps.list_inputs import elements, gathered
from zentfx.steps.missing import missing_step
from zentfx.steps.node import ArtifactReference, OutputReference, PlacedStep

__all__ = [
    "LoadedPipeline",
    "PipelineDescription",
    "class_of",
    "digest",
    "dump",
    "load",
    "load_text",
]

_FORMAT = 1
_PIPELINE_KEYS = ("zentfx", "name", "type", "enable_cache", "steps")
_STEP_KEYS = ("source", "args", "inputs", "after", "options")
_OPTION_KEYS = ("enable_cache", "code_version", "retries", "timeout", "substitutions")
_ARTIFACT_KEYS = ("artifact", "version", "id")
_LARGEST = 100_000
_LINE_ENDS = frozenset("\x85\u2028\u2029")
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader; a number like ``1e-3``, a text in YAML 1.1, is one here, as in 1.2."""


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same, written in C where PyYAML has that; it knows no positions within lines."""


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """The same for writing: such a text is quoted.

    It also escapes the line ends of Unicode: PyYAML writes them in a form that it reads as spaces.
    """


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _LINE_ENDS & set(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
for _side in (_Loader, _FastLoader, _Dumper):
    _side.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
        list("-+0123456789."),
    )


@dataclass(frozen=True)
class PipelineDescription:
    """A pipeline in YAML.

    Attributes:
        type: Dotted name of the pipeline's class.
        name: The pipeline's name.
        enable_cache: Its setting.
        steps: Its steps by name.
    """

    type: str
    name: str
    enable_cache: bool
    steps: Mapping[str, PlacedStep]


def dump(pipeline: PipelineDescription, folder: Path | None) -> str:
    """Writes a pipeline.

    Args:
        pipeline: The pipeline.
        folder: Paths below it are written relative to it.

    Returns:
        The YAML text.
    """
    data = {
        "zentfx": _FORMAT,
        "name": pipeline.name,
        "type": pipeline.type,
        "enable_cache": pipeline.enable_cache,
        "steps": {name: _step_data(item, folder) for name, item in pipeline.steps.items()},
    }
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


def _step_data(item: PlacedStep, folder: Path | None) -> dict[str, Any]:
    step = item.step
    schema = type(step).parameter_schema()
    data: dict[str, Any] = {
        "source": class_path(type(step)),
        "args": {
            name: _with_plain_paths(encode(value, folder), schema[name].annotation)
            for name, value in sorted(step.arguments.items())
        },
    }
    if item.inputs or item.artifacts:
        data["inputs"] = gathered(
            {
                **{name: str(reference) for name, reference in item.inputs.items()},
                **{name: _artifact_data(reference) for name, reference in item.artifacts.items()},
            }
        )
    if item.after:
        data["after"] = list(item.after)
    options = step.options.as_dict()
    options.pop("name", None)  # it is the key above
    if options:
        data["options"] = options
    return data


def _artifact_data(reference: ArtifactReference) -> dict[str, Any]:
    values = {"artifact": reference.name, "version": reference.version, "id": reference.id}
    return {key: value for key, value in values.items() if value is not None}


def _with_plain_paths(data: Any, annotation: Any) -> Any:
    """Paths as plain text, where the annotation says that they are paths."""
    if isinstance(data, dict) and data.keys() == {"$path"} and _takes_path(annotation):
        return data["$path"]
    return _mapped(data, annotation, _with_plain_paths)


def _with_paths(data: Any, annotation: Any, folder: Path) -> Any:
    """The other way round: texts that the annotation says are paths start from a folder."""
    if isinstance(data, str) and _takes_path(annotation):
        return folder / os.path.expanduser(data)  # noqa: PTH111 - that of pathlib may raise
    return _mapped(data, annotation, lambda part, item: _with_paths(part, item, folder))


def _takes_path(annotation: Any) -> bool:
    members = _members(annotation)
    return Path in members and str not in members


def _members(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the one annotation."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _members(typing.get_args(annotation)[0])
    if origin is typing.Union or origin is types.UnionType:
        return tuple(part for item in typing.get_args(annotation) for part in _members(item))
    return (annotation,)


def _mapped(data: Any, annotation: Any, function: Callable[[Any, Any], Any]) -> Any:
    """Applies a function to the parts of a container, each with the annotation of its parts."""
    for member in _members(annotation):
        arguments = typing.get_args(member)
        origin = typing.get_origin(member)
        if not arguments or not isinstance(origin, type):
            continue
        if issubclass(origin, Mapping):
            if isinstance(data, dict):
                return {key: function(part, arguments[-1]) for key, part in data.items()}
        elif isinstance(data, list) and issubclass(origin, Iterable):
            fixed = issubclass(origin, tuple) and Ellipsis not in arguments
            kinds = arguments if fixed else arguments[:1] * len(data)
            if len(kinds) == len(data):
                return list(map(function, data, kinds))
    return data


def digest(text: str) -> str:
    """Digest of what a pipeline is: all of its YAML but its name.

    Args:
        text: The YAML.

    Returns:
        Hex SHA-256.
    """
    data = yaml.load(text, Loader=_FastLoader)
    del data["name"]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


class _Document:
    """Parsed YAML that knows the line of each of its parts.

    Attributes:
        file: What to call it in messages.
        data: The content.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self._lines: dict[tuple[Any, ...], int] = {}
        try:
            node = yaml.compose(text, Loader=_Loader)
            self._constructor: Any = _Loader("")
            self.data = self._build(node, ()) if node is not None else None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigError(f"{file}:{line}: not valid YAML: {error.problem}.") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{file}: not valid YAML: {error}.") from error
        except RecursionError as error:
            raise ConfigError(
                f"{file}: not valid YAML: it is nested too deeply, or refers to itself."
            ) from error

    def _build(self, node: yaml.Node, path: tuple[Any, ...]) -> Any:
        line = self._lines[path] = node.start_mark.line + 1
        # Aliases of aliases make a small file huge.
        if len(self._lines) > _LARGEST:
            raise ConfigError(f"{self.file}:{line}: more than {_LARGEST} values.")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if node.tag not in _PLAIN_TAGS:
            raise ConfigError(f"{self.file}:{line}: the tag {node.tag!r} has no meaning here.")
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, (*path, index)) for index, item in enumerate(node.value)]
        data: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            line = key_node.start_mark.line + 1
            if not isinstance(key, (str, int, float, bool)):
                raise ConfigError(f"{self.file}:{line}: a key must be a plain name.")
            if key in data:
                raise ConfigError(f"{self.file}:{line}: the key {key!r} stands twice.")
            data[key] = self._build(value_node, (*path, key))
            self._lines[(*path, key)] = line
        return data

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            return self._constructor.construct_object(node)
        except (ValueError, LookupError) as error:  # 2020-13-45 looks like a date and is none
            line = node.start_mark.line + 1
            kind = node.tag.rpartition(":")[2]
            raise ConfigError(
                f"{self.file}:{line}: {node.value!r} is no {kind}; for a text, put it in quotes."
            ) from error

    def error(self, path: tuple[Any, ...], message: str) -> ConfigError:
        """The error about one part."""
        while path and path not in self._lines:
            path = path[:-1]
        return ConfigError(f"{self.file}:{self._lines.get(path, 1)}: {message}")

    @contextlib.contextmanager
    def position(self, *path: Any) -> Iterator[None]:
        """Within it, errors of zentfx get the file and line of a part."""
        try:
            yield
        except ConfigError:
            raise
        except ZenTFXError as error:
            raise self.error(path, str(error)) from error

    def mapping(self, path: tuple[Any, ...], data: Any, keys: tuple[str, ...]) -> dict[str, Any]:
        """Checks that a part is a mapping with known keys."""
        if not isinstance(data, dict):
            raise self.error(path, f"expected 'name: value' lines; {data!r} came.")
        for key in data:
            if key not in keys:
                place = f" in {'.'.join(map(str, path))}" if path else ""
                raise self.error(
                    (*path, key), f"unknown key {key!r}{place}.{near_matches(str(key), keys)}"
                )
        return data

    def value(self, path: tuple[Any, ...], data: Mapping[str, Any], default: Any) -> Any:
        """Checks that a value is there (if it has no default) and of the default's type."""
        key = path[-1]
        if key not in data:
            if isinstance(default, type):
                raise self.error(path[:-1], f"{key!r} is missing.")
            return default
        kind = default if isinstance(default, type) else type(default)
        if type(data[key]) is not kind:
            raise self.error(path, f"{key} must be {kind.__name__}; {data[key]!r} came.")
        return data[key]


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline that was read from YAML.

    Attributes:
        pipeline: The pipeline.
        position: Takes the keys of a part; a context in which errors of zentfx get its file and
            line.
    """

    pipeline: PipelineDescription
    position: Callable[..., contextlib.AbstractContextManager[None]]


def load(source: str | os.PathLike[str]) -> LoadedPipeline:
    """Reads a pipeline.

    Args:
        source: A file, or the text itself.

    Returns:
        The pipeline.

    Raises:
        ConfigError: If it is not valid; names file, line and near match.
        DataNotFoundError: If there is no such file.
    """
    if isinstance(source, str) and "\n" in source:
        return load_text(source, "<yaml>", Path.cwd())
    file = Path(source)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataNotFoundError(f"There is no file {file.absolute()}.") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.") from error
    return load_text(text, str(file), file.absolute().parent)


def load_text(text: str, name: str, folder: Path, recorded: bool = False) -> LoadedPipeline:
    """Reads a pipeline from a text.

    Args:
        text: The YAML.
        name: What to call it in messages.
        folder: Where relative paths in it start.
        recorded: Whether it is of a pipeline that has run. Then a step that cannot be made here, as
            its class is gone, is a :class:`~zentfx.steps.missing.MissingStep`.

    Returns:
        The pipeline.

    Raises:
        ConfigError: If it is not valid.
    """
    document = _Document(text, name)
    data = document.mapping((), document.data, _PIPELINE_KEYS)
    version = document.value(("zentfx",), data, int)
    if version != _FORMAT:
        raise document.error(
            ("zentfx",), f"format version {version}; this zentfx reads version {_FORMAT}."
        )
    steps = document.value(("steps",), data, dict)
    pipeline = PipelineDescription(
        type=document.value(("type",), data, "zentfx.Pipeline"),
        name=document.value(("name",), data, str),
        enable_cache=document.value(("enable_cache",), data, True),
        steps={key: _load_step(document, key, steps[key], folder, recorded) for key in steps},
    )
    return LoadedPipeline(pipeline, document.position)


def _load_step(
    document: _Document, name: str, data: Any, folder: Path, recorded: bool
) -> PlacedStep:
    path = ("steps", name)
    data = document.mapping(path, data, _STEP_KEYS)
    source = document.value((*path, "source"), data, str)
    args = document.value((*path, "args"), data, {})
    try:
        step = _made_step(document, path, source, args, folder)
    except ConfigError as error:
        if not recorded:
            raise
        step = missing_step(source, decode(args, folder), str(error))
    inputs = document.value((*path, "inputs"), data, {})
    options = document.mapping(
        (*path, "options"), document.value((*path, "options"), data, {}), _OPTION_KEYS
    )
    with document.position(*path, "options"):
        step = step.with_options(**options)
    references = {}
    artifacts = {}
    for key, source in elements(inputs):
        if isinstance(source, dict):
            artifacts[key] = _load_artifact(document, (*path, "inputs", key), source)
            continue
        with document.position(*path, "inputs", key):
            references[key] = OutputReference.parse(source)
    after = document.value((*path, "after"), data, [])
    return PlacedStep(step, references, artifacts, tuple(map(str, after)))


def _made_step(
    document: _Document, path: tuple[Any, ...], source: str, args: Any, folder: Path
) -> BaseStep:
    cls = class_of(source, BaseStep, document.position(*path, "source"))
    schema = cls.parameter_schema()
    values = {}
    for key, value in document.mapping((*path, "args"), args, tuple(schema)).items():
        with document.position(*path, "args", key):
            value = decode(_with_paths(value, schema[key].annotation, folder), folder)
            values[key] = schema[key].coerce(value, cls.__name__)
    with document.position(*path, "args"):
        step: BaseStep = cls(**values)
    return step


def _load_artifact(document: _Document, path: tuple[Any, ...], data: Any) -> ArtifactReference:
    document.mapping(path, data, _ARTIFACT_KEYS)
    if ("artifact" in data) == ("id" in data):
        raise document.error(
            path, "expected the name of an artifact ('artifact: …'), or its id ('id: …')."
        )
    if "id" in data:
        return ArtifactReference(id=document.value((*path, "id"), data, int))
    name = document.value((*path, "artifact"), data, str)
    version = data.get("version")
    return ArtifactReference(name, None if version is None else str(version))


def class_of(source: str, base: Any, position: contextlib.AbstractContextManager[None]) -> Any:
    """Finds the class that a file names.

    Args:
        source: Its dotted name.
        base: What it must be a subclass of.
        position: The part of the file that names it.

    Returns:
        The class.

    Raises:
        ConfigError: If there is no such class, or it is of another kind.
    """
    with position:
        module, _, name = source.rpartition(".")
        if module == "zentfx" and name not in zentfx.__all__:
            raise NotFoundError(f"zentfx has no {name!r}.{near_matches(name, zentfx.__all__)}")
        cls = find_class(source)
        if not issubclass(cls, base):
            raise NotFoundError(f"{source} is no subclass of {base.__name__}.")
        return cls
