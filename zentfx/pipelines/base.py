"""Pipelines of any steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeVar

from zentfx.class_paths import class_path
from zentfx.datasources.base import Datasource, columns_of
from zentfx.errors import (
    ConfigError,
    DataNotFoundError,
    ParameterTypeError,
    PipelineError,
    PipelineFrozenError,
    near_matches,
)
from zentfx.orchestrators import Listener
from zentfx.pipelines import yaml_format
from zentfx.pipelines.names import check_pipeline_name, check_step_name, check_together
from zentfx.pipelines.nodes import nodes_of
from zentfx.pipelines.running import RunSettings, run_nodes, warn_of
from zentfx.pipelines.wiring import Source, connected, placed_step
from zentfx.records.models import PipelineVersionRecord
from zentfx.steps.base import BaseStep
from zentfx.steps.calls import building
from zentfx.steps.missing import MissingStep, missing_step
from zentfx.steps.node import Node, OutputReference, PlacedStep
from zentfx.stores.memos import Memos
from zentfx.views.run import Run
from zentfx.warn import warn
from zentfx.workspace import Workspace

__all__ = ["ColumnLook", "HasWorkspace", "Pipeline"]

_Pipeline = TypeVar("_Pipeline", bound="Pipeline")
ColumnLook = Callable[[Datasource], Mapping[str, str] | None]
# By a step's id, its node in the run that validates here, which may know its columns from before.
_run_nodes: ContextVar[Mapping[int, tuple[Node, Memos]]] = ContextVar(
    "_run_nodes", default=MappingProxyType({})
)


class HasWorkspace(Protocol):
    """A repository, as far as a pipeline needs it."""

    @property
    def workspace(self) -> Workspace:
        """The stores and settings."""


class Pipeline:
    """Steps, wired together under a name. Immutable once it has run.

    Args:
        name: Its name; at most 63 characters. The same name with other content is another version
            of the same pipeline.
        enable_cache: Whether its steps may reuse earlier results.
        repository: The repository that it runs in: a :class:`~zentfx.Repository` or a path; None
            for the one that ``Repository()`` opens.
    """

    # Steps of a known kind have a fixed name, and wiring that need not be given.
    implied_inputs: ClassVar[Mapping[str, Mapping[str, str]]] = {}

    def __init__(
        self,
        name: str,
        enable_cache: bool = True,
        repository: HasWorkspace | str | os.PathLike[str] | None = None,
    ) -> None:
        check_pipeline_name(name)
        if not isinstance(enable_cache, bool):
            raise PipelineError(
                f"enable_cache of pipeline {name!r} must be True or False; {enable_cache!r} came."
            )
        self._name = name
        self._enable_cache = enable_cache
        self._repository = repository
        self._placed: dict[str, PlacedStep] = {}
        self._frozen = False
        self._version: int | None = None

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self._name

    @property
    def version(self) -> int | None:
        """Its version: 1, 2, … among pipelines of its name; None before it has run."""
        return self._version

    @property
    def enable_cache(self) -> bool:
        """Whether its steps may reuse earlier results."""
        return self._enable_cache

    @property
    def steps(self) -> Mapping[str, BaseStep]:
        """The steps by name, to look at; :meth:`add_step` changes them."""
        return MappingProxyType({name: placed.step for name, placed in self._placed.items()})

    def add_step(
        self,
        step: BaseStep,
        name: str | None = None,
        inputs: Mapping[str, Source | Sequence[Source]] | None = None,
        after: Iterable[str] = (),
    ) -> None:
        """Adds a step anywhere, or replaces the one of the same name.

        Args:
            step: The step.
            name: Its name in the pipeline; None for the one in its options, else its class's name
                in lower case with underscores.
            inputs: What each input reads, as ``{"input": "step.output"}``; or an artifact that
                there is already; or, for an argument of a function, a list of these. None keeps the
                wiring of a step that is replaced.
            after: Names of steps that it waits for, besides those that it reads from.

        Raises:
            PipelineFrozenError: If the pipeline has run.
            ParameterTypeError: If ``step`` is not a step.
            PipelineError: If the name or an input is not valid.
        """
        if self._frozen:
            raise PipelineFrozenError(
                f"The pipeline {self.name!r} has run and cannot be changed. Copy it under another "
                f"name and change the copy: pipeline.copy({self.name + ' 2'!r}). Or make it anew "
                "under its name: that is its next version."
            )
        if not isinstance(step, BaseStep):
            hint = " Call the class to make one." if isinstance(step, type) else ""
            raise ParameterTypeError(
                f"A pipeline is made of steps (subclasses of BaseStep); {step!r} came.{hint}"
            )
        if name is None:
            name = step.options.name or step.usual_name
        check_step_name(name, step)
        earlier = self._placed.get(name)
        if inputs is None and earlier is not None:
            known: dict[str, Any] = {**earlier.inputs, **earlier.artifacts}
            inputs = {key: source for key, source in known.items() if key in step.inputs}
            after = after or earlier.after
        self._placed[name] = placed_step(step, name, inputs or {}, after)
        self._placed = self._arranged(self._placed)

    def _arranged(self, placed: dict[str, PlacedStep]) -> dict[str, PlacedStep]:
        """The steps in the order of the YAML, and of the run where wiring leaves it open."""
        return placed

    def copy(self: _Pipeline, name: str) -> _Pipeline:
        """Copies the pipeline under another name; the copy can be changed.

        Args:
            name: The copy's name.

        Returns:
            The copy. It shares nothing with this pipeline that can change.

        Raises:
            PipelineError: If the name is this pipeline's own.
        """
        if name == self.name:
            raise PipelineError(
                f"A copy needs a name of its own; {name!r} is the name of the pipeline itself."
            )
        other = type(self)(name, enable_cache=self.enable_cache, repository=self._repository)
        other._placed = {
            item: replace(placed, step=_again(placed.step)) for item, placed in self._placed.items()
        }
        return other

    def wiring(self) -> dict[str, dict[str, OutputReference]]:
        """What each step's inputs read, implied wiring included.

        Returns:
            References by step and input, steps after those that they read from.

        Raises:
            PipelineError: If a step or output does not exist, an input is not connected, types do
                not fit, or steps wait for each other.
        """
        if self.name in self._placed:
            raise PipelineError(
                f"A pipeline cannot be called like one of its steps: {self.name!r}. Call one of "
                "them something else.",
                part=[self.name],
            )
        implied = {
            name: {
                key: text
                for key, text in self.implied_inputs.get(name, {}).items()
                if self._implies(key, text)
            }
            for name in self._placed
        }
        return connected(self._placed, implied, self._misnamed)

    def _implies(self, key: str, text: str) -> bool:
        """Whether implied wiring holds: its step may be one that a pipeline goes without."""
        return text.partition(".")[0] in self._placed

    def _misnamed(self, name: str) -> str:
        """What a step could have been meant as, if its name is not one that is wired by itself."""
        if not self.implied_inputs or name in self.implied_inputs:
            return ""
        return f" {type(self).__name__} wires by name:{near_matches(name, self.implied_inputs)}"

    def validate(self) -> None:
        """Checks all that can be known before anything runs.

        Raises:
            PipelineError: If the steps do not fit together.
            DataError: If the data is missing, or not what the steps need.
        """
        self._check_steps()
        self._check_data(self._look_at_data)

    @property
    def missing(self) -> Mapping[str, str]:
        """Why steps of a pipeline that has run cannot run here, by name; most have none.

        Their classes are of a notebook or script that is not this one, or are gone. Such a pipeline
        can be looked at and copied, and in a copy they can be replaced.
        """
        return {
            name: step.problem for name, step in self.steps.items() if isinstance(step, MissingStep)
        }

    def _check_steps(self) -> None:
        for name, problem in self.missing.items():
            raise PipelineError(
                f"The step {name!r} cannot run here: {problem} Define it, and look the pipeline up "
                "again; its text is in source_code of the step, in any run of the pipeline. Or "
                "replace it in a copy."
            )
        if not self._placed:
            raise PipelineError(f"The pipeline {self.name!r} has no steps. Add some: add_step(…).")
        check_together(self.name, self.steps)
        self.wiring()

    def _look_at_data(self, datasource: Datasource) -> Mapping[str, str] | None:
        """The columns of a datasource, unless a step before may write its data."""
        if id(datasource) in _run_nodes.get():
            return columns_of(*_run_nodes.get()[id(datasource)])
        waits = any(item.step is datasource and item.after for item in self._placed.values())
        return None if waits else datasource.columns()

    def _check_data(self, look: ColumnLook) -> None:
        """Looks at the data, and holds the steps against it as far as their use of it is known."""
        self._look_at_all(look)

    def _look_at_all(self, look: ColumnLook) -> dict[str, Mapping[str, str] | None]:
        """The columns of all datasources, by the step's name."""
        return {
            name: look(step) for name, step in self.steps.items() if isinstance(step, Datasource)
        }

    def run(
        self,
        enable_cache: bool | None = None,
        progress: Listener | bool | None = True,
        max_workers: int | None = None,
        in_process: bool = False,
    ) -> Run:
        """Runs the pipeline, and records it.

        Steps that wrap TFX components run in a worker process, which is started when one has to
        run and serves later ones and later runs; what they print is in their logs. Steps that do
        their work in ``process``, on data that needs no TensorFlow, run in this process.

        Args:
            enable_cache: Whether earlier results may be reused, for this run; None for the setting
                of each step, else of the pipeline.
            progress: True shows each step on stderr. False or None for silence. A function is told
                of each change of a step's state.
            max_workers: How many steps that do not depend on each other may run side by side, each
                in a worker process of its own; None for the repository's setting, which is 1.
            in_process: Whether to run all steps in this process, for a debugger.

        Returns:
            The run, as it was recorded.

        Raises:
            PipelineError: If the steps do not fit together; nothing is recorded.
            DataError: If the data is missing, or not what the steps need; nothing is recorded.
            MissingDependencyError: If the steps cannot run in this installation; nothing is
                recorded.
            StepFailedError: If a step raised. The run is recorded as failed.
        """
        limited = [name for name, step in self.steps.items() if step.options.timeout is not None]
        if in_process is True and limited:
            raise PipelineError(
                f"The step {limited[0]!r} has a timeout, and what runs in this process cannot be "
                "stopped. Run it without in_process=True."
            )
        for setting, value in (("enable_cache", enable_cache), ("in_process", in_process)):
            if not isinstance(value, bool) and (value is not None or setting == "in_process"):
                raise PipelineError(f"{setting} must be True or False; {value!r} came.")
        self._check_steps()
        workspace = self._workspace()
        nodes = self._nodes(enable_cache, workspace)
        told = _run_nodes.set({id(node.step): (node, workspace.memos) for node in nodes})
        try:
            self.validate()
        finally:
            _run_nodes.reset(told)
        warn_of(nodes)
        with building(None):  # steps that run call functions, even in a function with @pipeline
            return run_nodes(
                self.name,
                self.to_yaml(base=workspace.root),
                nodes,
                workspace,
                RunSettings(max_workers, in_process, progress),
                self._begun,
            )

    def _begun(self, version: int) -> None:
        self._version = version
        self._frozen = True

    def _nodes(
        self, enable_cache: bool | None = None, workspace: Workspace | None = None
    ) -> list[Node]:
        wiring = self.wiring()
        return nodes_of(self._placed, wiring, workspace, enable_cache, self.enable_cache, self.name)

    def _workspace(self) -> Workspace:
        if self._repository is None or isinstance(self._repository, (str, os.PathLike)):
            return Workspace.find(self._repository)
        return self._repository.workspace

    def to_yaml(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        base: str | os.PathLike[str] | None = None,
    ) -> str:
        """Writes the pipeline as YAML, for people to read and edit.

        Args:
            path: The file to write; None to write none.
            base: Paths below this folder are written relative to it; None for the file's folder.

        Returns:
            The text.
        """
        folder = Path(base) if base is not None else Path(path).parent if path else None
        text = yaml_format.dump(
            yaml_format.PipelineDescription(
                type=class_path(type(self)),
                name=self.name,
                enable_cache=self.enable_cache,
                steps=self._placed,
            ),
            folder.absolute() if folder is not None else None,
        )
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
            own = [name for name, step in self.steps.items() if _is_of_script(step)]
            if own:
                warn(
                    f"{', '.join(map(repr, own))}: defined in a script or notebook, so {path} can "
                    "be read by processes alone that define the same there. Define steps in a "
                    "module to use the file anywhere."
                )
        return text

    @staticmethod
    def from_yaml(
        source: str | os.PathLike[str],
        repository: HasWorkspace | str | os.PathLike[str] | None = None,
    ) -> Pipeline:
        """Reads a pipeline from YAML.

        Args:
            source: A file, or the text itself (which has more than one line). Relative paths in it
                start from the file's folder; in a text, from the working directory.
            repository: The repository that it runs in; see the constructor.

        Returns:
            The pipeline, of the type that the YAML names.

        Raises:
            ConfigError: If it is not valid; names file, line and near match.
            DataNotFoundError: If there is no such file.
        """
        return Pipeline._built(yaml_format.load(source), repository)

    @staticmethod
    def recorded(record: PipelineVersionRecord, repository: HasWorkspace) -> Pipeline:
        """Reads a version of a pipeline that has run, from the artifact store.

        Args:
            record: The version.
            repository: The repository that has it.

        Returns:
            The pipeline, frozen.

        Raises:
            DataNotFoundError: If its YAML is gone.
            ConfigError: If it is not valid.
        """
        workspace = repository.workspace
        what = f"pipeline {record.pipeline!r}, version {record.number}"
        file = workspace.artifacts.located(record.yaml_uri)
        text = workspace.artifacts.read_text("pipelines", Path(file).name)
        if text is None:
            raise DataNotFoundError(f"The YAML of {what} is gone: {file}.")
        loaded = yaml_format.load_text(text, f"{what} ({file})", workspace.root, recorded=True)
        pipeline = Pipeline._built(loaded, repository, recorded=True)
        pipeline._version = record.number
        pipeline._frozen = True
        return pipeline

    @staticmethod
    def _built(
        loaded: yaml_format.LoadedPipeline,
        repository: HasWorkspace | str | os.PathLike[str] | None,
        recorded: bool = False,
    ) -> Pipeline:
        described = loaded.pipeline
        try:
            cls = yaml_format.class_of(described.type, Pipeline, loaded.position("type"))
        except ConfigError as error:
            if not recorded:
                raise
            cls = _missing_pipeline(described.type, str(error))
        with loaded.position("name"):
            pipeline: Pipeline = cls(
                described.name, enable_cache=described.enable_cache, repository=repository
            )
        step: str | None = None
        try:
            for step, placed in described.steps.items():
                sources: dict[str, Any] = {**placed.inputs, **placed.artifacts}
                try:
                    pipeline.add_step(placed.step, step, sources, placed.after)
                except PipelineError as error:
                    if not recorded:
                        raise
                    # Its class is another by now.
                    gone = missing_step(
                        class_path(type(placed.step)), placed.step.arguments, str(error)
                    )
                    gone = gone.with_options(**placed.step.options.as_dict())
                    pipeline.add_step(gone, step, sources, placed.after)
            step = None
            if not recorded:  # run() checks it
                pipeline.wiring()
        except PipelineError as error:
            part = error.part or (() if step is None else (step,))
            with loaded.position("steps", *part):
                raise
        return pipeline

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, steps={list(self._placed)})"


def _is_of_script(step: BaseStep) -> bool:
    return type(step).__module__ == "__main__"


def _missing_pipeline(path: str, problem: str) -> type[Pipeline]:
    """A class for one that cannot be had: its pipelines can be looked at."""
    module, _, name = path.rpartition(".")

    def refuse(pipeline: Pipeline) -> None:
        raise PipelineError(f"The pipeline {pipeline.name!r} cannot run here: {problem}")

    return type(name, (Pipeline,), {"__module__": module, "_check_steps": refuse})


def _again(step: BaseStep) -> BaseStep:
    """A new step from a step's arguments, as the worker makes one."""
    return type(step)(**step.arguments).with_options(**step.options.as_dict())
