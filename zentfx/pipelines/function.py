"""Pipelines that are functions."""

from __future__ import annotations

import functools
import inspect
import os
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, overload

from zentfx.errors import PipelineError, near_matches
from zentfx.orchestrators import Listener
from zentfx.pipelines.base import HasWorkspace, Pipeline
from zentfx.pipelines.wiring import check_input_names
from zentfx.steps.base import BaseStep
from zentfx.steps.calls import StepCall, StepOutput, bound_arguments, builder, building
from zentfx.views.artifact import ArtifactVersion
from zentfx.views.run import Run

__all__ = ["PipelineFunction", "pipeline"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_OPTIONS = (
    "name",
    "enable_cache",
    "repository",
    "progress",
    "max_workers",
    "in_process",
)
_OF_A_RUN = ("progress", "max_workers", "in_process")


class _Builder:
    """Puts a pipeline together, from the calls in its function.

    Args:
        pipeline: The pipeline, which has no steps yet.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def call(
        self, step: BaseStep, inputs: Mapping[str, Any], after: Any
    ) -> Sequence[StepOutput] | StepCall:
        """See :class:`zentfx.steps.calls.Builder`."""
        own = step.options.name
        name = own or self._free(step.usual_name)
        if own is not None and own in self._pipeline.steps:
            raise PipelineError(
                f"Two steps of the pipeline {self._pipeline.name!r} are called {own!r}. Give each "
                "a name of its own: step.with_options(name=…)."
            )
        check_input_names(step, name, inputs)
        sources = {key: self._source(value, name, key) for key, value in inputs.items()}
        self._pipeline.add_step(step, name, sources, self._names(after, name))
        # Those that zentfx adds are for looking at.
        given = [output for output in step.outputs if not output.startswith("zentfx_")]
        return [StepOutput(name, output, self) for output in given] or StepCall(name)

    def _free(self, name: str) -> str:
        number, free = 1, name
        while free in self._pipeline.steps:
            number += 1
            free = f"{name}_{number}"
        return free

    def _source(self, value: Any, name: str, key: str) -> Any:
        where = f"Input {key!r} of step {name!r}"
        if isinstance(value, ArtifactVersion):
            return value
        if isinstance(value, tuple) and value and isinstance(value[0], StepOutput):
            names = ", ".join(str(item) for item in value)
            raise PipelineError(f"{where} takes one output; {len(value)} came: {names}.")
        if not isinstance(value, StepOutput):
            raise PipelineError(
                f"{where} takes an output of a step, or an artifact version; {value!r} came."
            )
        if value.builder is not self:
            raise PipelineError(
                f"{where} reads {value!r}, which is of another pipeline, or of another call of "
                "this one. Use what a step of this pipeline gives; for an artifact of an earlier "
                "run, repository.get_artifact_version(…)."
            )
        return f"{value.step}.{value.output}"

    def _names(self, after: Any, name: str) -> list[str]:
        if after is None:
            return []
        items = after if isinstance(after, (list, tuple, set)) else [after]
        names = []
        for item in items:
            if isinstance(item, (list, tuple)):
                names += self._names(item, name)
            elif isinstance(item, (StepOutput, StepCall)):
                names.append(item.step)
            elif isinstance(item, str):
                if item not in self._pipeline.steps:
                    near = near_matches(item, self._pipeline.steps)
                    raise PipelineError(
                        f"The step {name!r} is to run after {item!r}, but no such step was called "
                        f"before.{near}"
                    )
                names.append(item)
            else:
                raise PipelineError(
                    f"The step {name!r}: after= takes outputs of steps, or their names; {item!r} "
                    "came."
                )
        return names


class PipelineFunction(Generic[_P, _R]):
    """What :func:`pipeline` makes of a function. Calling it runs the pipeline.

    Args:
        function: The function, which calls steps.
        options: Fields as :func:`pipeline` takes them.
    """

    def __init__(self, function: Callable[_P, _R], options: Mapping[str, Any]) -> None:
        self._function = function
        self._options = dict(options)
        functools.update_wrapper(self, function)

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return str(self._options.get("name") or self._function.__name__)

    def with_options(self, **options: Any) -> PipelineFunction[_P, _R]:
        """Returns the same with other options.

        Args:
            **options: See :func:`pipeline`.

        Returns:
            Another one; this one is unchanged.

        Raises:
            PipelineError: For an option that does not exist.
        """
        return PipelineFunction(self._function, {**self._options, **_checked(options)})

    def build(self, *args: _P.args, **kwargs: _P.kwargs) -> Pipeline:
        """Puts the pipeline together, and does not run it.

        Args:
            *args: The function's arguments.
            **kwargs: The same by name.

        Returns:
            The pipeline, which can be changed, copied and run.

        Raises:
            UnknownParameterError: If the function has no such argument.
            PipelineError: If its steps do not fit together.
        """
        signature = inspect.signature(self._function)
        bound_arguments(self._function.__name__, signature, args, kwargs)  # or refuses them
        made = Pipeline(
            self.name,
            enable_cache=self._options.get("enable_cache", True),
            repository=self._options.get("repository"),
        )
        with building(_Builder(made)):
            self._function(*args, **kwargs)
        made.wiring()
        return made

    def to_yaml(self, path: str | os.PathLike[str] | None = None) -> str:
        """Writes the wiring of a pipeline whose function needs no arguments.

        Args:
            path: The file to write; None to write none.

        Returns:
            The YAML. With arguments: ``build(…).to_yaml()``.
        """
        return self.build().to_yaml(path)  # type: ignore[call-arg]

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> Any:
        """Runs the pipeline, and returns the run."""
        if builder() is not None:
            # In another pipeline's function its steps become steps of that.
            return self._function(*args, **kwargs)
        made = self.build(*args, **kwargs)
        return made.run(**{key: self._options[key] for key in _OF_A_RUN if key in self._options})

    def __repr__(self) -> str:
        return f"<pipeline {self._function.__module__}.{self._function.__qualname__}>"


@overload
def pipeline(function: Callable[_P, Any], /) -> PipelineFunction[_P, Run]: ...
@overload
def pipeline(
    *,
    name: str | None = None,
    enable_cache: bool = True,
    repository: HasWorkspace | Path | str | None = None,
    progress: Listener | bool | None = True,
    max_workers: int | None = None,
    in_process: bool = False,
) -> Callable[[Callable[_P, Any]], PipelineFunction[_P, Run]]: ...
def pipeline(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Makes a function a pipeline: each call runs the steps that the function calls.

    The function itself runs at each call, and sees no values: it says which step reads what.

    Args:
        function: The function.
        **options: ``name`` (None for the function's), ``enable_cache`` and ``repository`` as
            :class:`~zentfx.Pipeline` takes them; ``progress``, ``max_workers`` and ``in_process``
            as :meth:`~zentfx.Pipeline.run` does.

    Returns:
        What can be called, and then gives a :class:`~zentfx.Run`.

    Raises:
        PipelineError: For an option that does not exist, or what is no function.
    """
    checked = _checked(options)
    if function is None:
        return functools.partial(_made, checked)
    return _made(checked, function)


def _made(options: Mapping[str, Any], function: Any) -> PipelineFunction[..., Run]:
    if not isinstance(function, types.FunctionType) or inspect.iscoroutinefunction(function):
        raise PipelineError(f"@pipeline is for plain functions; {function!r} came.")
    return PipelineFunction(function, options)


def _checked(options: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in options:
        if name not in _OPTIONS:
            raise PipelineError(f"A pipeline has no option {name!r}.{near_matches(name, _OPTIONS)}")
    return options
