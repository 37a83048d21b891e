"""Steps that are functions."""

from __future__ import annotations

import copy
import functools
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar, cast, overload

from zentfx.errors import (
    DataError,
    DataTypeError,
    ParameterError,
    PipelineError,
    StepDefinitionError,
    UnknownParameterError,
    near_matches,
)
from zentfx.materializers import values
from zentfx.parameters import MISSING, Parameter
from zentfx.source_code.user_sources import note_loaded
from zentfx.steps.artifacts import InputArtifact, OutputArtifact
from zentfx.steps.base import ANYTHING, BaseStep, StepMeta
from zentfx.steps.calls import PipelineInput, bound_arguments, builder, outputs_of_call
from zentfx.steps.definition import FunctionDefinition
from zentfx.steps.list_inputs import ListableInputs, check_indexes, element, gathered, whole
from zentfx.steps.options import StepOptions
from zentfx.steps.outputs import Output, check_substitutions, declared_outputs
from zentfx.steps.type_checks import checked, may_be, named

__all__ = ["FunctionStep", "StepFunction", "step"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _StepDefinition(FunctionDefinition[_P, _R]):
    """A function, and the class of the steps that call it."""

    @cached_property
    def step_class(self) -> type[FunctionStep]:
        """The class: made late, when materializers below the function are defined."""
        function = self.function
        outputs = {
            output.key: f"zentfx.{values.artifact_type_of(output.annotation)}"
            for output in self.outputs
        }
        if self.logs_metrics:
            outputs["zentfx_metrics"] = "Metrics"
        make: Any = FunctionStepMeta
        made = make(
            function.__name__,
            (FunctionStep,),
            {
                "__module__": function.__module__,
                "__qualname__": function.__qualname__,
                "__doc__": function.__doc__,
                "definition": self,
                # Where its code is: what tells one state of it from another looks for functions.
                "source_function": staticmethod(function),
                "inputs": ListableInputs(dict.fromkeys(self.parameters, ANYTHING)),
                "outputs": MappingProxyType(outputs),
            },
        )
        return cast("type[FunctionStep]", made)


class FunctionStepMeta(StepMeta):
    """Makes steps of a function: with those arguments that are parameters, and not artifacts."""

    def __call__(  # type: ignore[override,misc]
        cls: type[FunctionStep],  # noqa: N805
        **arguments: Any,
    ) -> FunctionStep:
        """Makes a step of the arguments that are there."""
        schema = cls.parameter_schema()
        for name in arguments:
            if name not in schema:
                raise UnknownParameterError(
                    f"{cls.__name__} has no parameter {name!r}.{near_matches(name, schema)}"
                )
        made = cls.__new__(cls)
        # Independent of the caller's objects.
        vars(made)["_arguments"] = {
            name: schema[name].coerce(copy.deepcopy(arguments[name]), cls.__name__)
            for name in schema
            if name in arguments
        }
        vars(made)["_derived"] = {}
        return made


class FunctionStep(BaseStep, metaclass=FunctionStepMeta):
    """A step that calls a function; :func:`step` makes a subclass for each.

    Unlike other steps it may lack arguments: those that a pipeline connects to outputs.

    Attributes:
        definition: The function.
    """

    definition: ClassVar[_StepDefinition[..., Any]]
    code_version = "2"

    @classmethod
    def _check_channels(cls) -> None:
        # `def clean(data) -> Annotated[DataFrame, "data"]` is fine here.
        pass

    @classmethod
    def parameter_schema(cls) -> dict[str, Parameter]:
        """The function's parameters; any of them may be connected instead."""
        return cls.definition.parameters

    def completed(self, connected: Collection[str]) -> FunctionStep:
        """Adds the defaults of parameters that are neither given nor connected."""
        check_indexes(connected, type(self).__name__)
        for key in connected:
            self._check_list(key)
        connected = {whole(key) for key in connected}
        both = sorted(self._arguments.keys() & connected)
        if both:
            raise PipelineError(
                f"{type(self).__name__}: {both[0]!r} has a value, and is connected to an output "
                "too. It can have one of them."
            )
        given = self.options.substitutions or {}
        check_substitutions(self.definition.outputs, given, type(self).__name__)
        missing = {
            name: item.default
            for name, item in self.parameter_schema().items()
            if name not in self._arguments and name not in connected and not item.required
        }
        if not missing:
            return self
        made = type(self)(**self._arguments, **missing)
        return made.with_options(**self.options.as_dict())

    def _check_list(self, key: str) -> None:
        """Refuses an element of a list for an argument that cannot be a list."""
        name = whole(key)
        parameter = self.parameter_schema().get(name)
        if name == key or parameter is None:
            return
        if not may_be(list, parameter.annotation):
            raise PipelineError(
                f"{type(self).__name__}: the argument {name!r} takes "
                f"{named(parameter.annotation)}; a list of outputs came."
            )

    @property
    def usual_name(self) -> str:
        """The function's name."""
        return type(self).__name__

    @property
    def trains(self) -> bool:
        """Whether it trains a model.

        It does if it says that it returns one. Else its name decides, as for the steps of others:
        ``train_model``, but not ``train_test_split``, which returns data.
        """
        types = self.outputs.values()
        by_name = re.search(r"(^|_)train(_|$)", type(self).__name__) is not None
        return "zentfx.Model" in types or (by_name and "zentfx.Dataset" not in types)

    @property
    def maker(self) -> Callable[..., BaseStep]:
        """See the base class."""
        # The class itself does not stand under its name: there stands the function.
        return StepFunction(self.definition, StepOptions()).as_step

    @property
    def optional_inputs(self) -> frozenset[str]:  # type: ignore[override]
        """The parameters that have a value."""
        return frozenset(self._arguments)

    def named_outputs(self) -> Mapping[str, Output]:
        """See the base class."""
        given = self.options.substitutions or {}
        return {
            output.key: output.named(given)
            for output in self.definition.outputs
            if output.name is not None
        }

    def process(
        self, inputs: Mapping[str, InputArtifact], outputs: Mapping[str, OutputArtifact]
    ) -> None:
        """Calls the function, and saves what it returns."""
        name = type(self).__name__
        given = self.arguments
        given.update(gathered({key: artifact.load() for key, artifact in inputs.items()}))
        for key, value in given.items():
            parameter = self.definition.parameters[key]
            if value is not None or parameter.default is not None:  # `x: int = None` means both
                given[key] = checked(value, parameter.annotation, f"{name}: argument {key!r}")
        results = self._results(self.definition.function(**given))
        for output, value in zip(self.definition.outputs, results, strict=True):
            where = f"{name}: output {output.key!r}"
            value = checked(value, output.annotation, where)
            _save(value, output, outputs[output.key], where)

    def _results(self, returned: Any) -> Sequence[Any]:
        """What the function returned, one for each output."""
        declared = self.definition.outputs
        name = type(self).__name__
        if not declared:
            if returned is not None:
                raise DataTypeError(
                    f"{name} is annotated with None, or returns nothing by its text, and returned "
                    f"a {type(returned).__name__}. Annotate what it returns."
                )
            return ()
        if len(declared) == 1:
            return (returned,)
        keys = ", ".join(output.key for output in declared)
        if not isinstance(returned, (tuple, list)):
            raise DataTypeError(
                f"{name}: expected {len(declared)} outputs ({keys}); a "
                f"{type(returned).__name__} came."
            )
        if len(returned) != len(declared):
            raise DataTypeError(
                f"{name}: expected {len(declared)} outputs ({keys}); {len(returned)} came."
            )
        return returned


def _save(value: Any, output: Output, artifact: OutputArtifact, where: str) -> None:
    annotation = None if output.annotation is MISSING else output.annotation
    try:
        artifact.save(value, annotation)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


class StepFunction(Generic[_P, _R]):
    """What :func:`step` makes of a function.

    Called in a ``@pipeline`` it becomes a step of it, and gives its outputs; called anywhere else
    it is the function itself.

    Args:
        definition: The function.
        options: Options of its steps.
    """

    __name__: str

    def __init__(self, definition: _StepDefinition[_P, _R], options: StepOptions) -> None:
        self._definition = definition
        self._options = options
        functools.update_wrapper(self, definition.function)

    @property
    def function(self) -> Callable[_P, _R]:
        """The function."""
        return self._definition.function

    @property
    def step_class(self) -> type[FunctionStep]:
        """The class of its steps."""
        return self._definition.step_class

    @property
    def options(self) -> StepOptions:
        """Settings that are not parameters; see :meth:`with_options`."""
        return self._options

    def with_options(self, **options: Any) -> StepFunction[_P, _R]:
        """Returns the same with other options.

        Args:
            **options: Fields of :class:`~zentfx.steps.options.StepOptions`: ``name``,
                ``enable_cache``, ``code_version``, ``substitutions``, ….

        Returns:
            Another one; this one is unchanged.

        Raises:
            UnknownParameterError: For an option that does not exist, or a substitution for a
                placeholder that no output's name has.
            ParameterTypeError: For a value of the wrong type.
        """
        new = self._options.replace(
            f"{self.__name__}.with_options", self._definition.signature.parameters, **options
        )
        if "substitutions" in options and new.substitutions:
            check_substitutions(self._definition.outputs, new.substitutions, self.__name__)
        return StepFunction(self._definition, new)

    def as_step(self, **parameters: Any) -> FunctionStep:
        """Makes a step, to put into a pipeline with ``add_step``.

        Args:
            **parameters: Values of parameters; those that are missing and have no default are
                connected by ``add_step(…, inputs=…)``.

        Returns:
            The step.

        Raises:
            ParameterError: If a value cannot be one.
        """
        for name, value in parameters.items():
            if isinstance(value, PipelineInput) or _is_list_of_inputs(value):
                raise ParameterError(
                    f"{self.__name__}: {name!r} is an artifact; connect it by add_step(…, "
                    f'inputs={{"{name}": …}}).'
                )
        made = self.step_class(**parameters)
        return made.with_options(**self._options.as_dict())

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> Any:
        """Adds a step to the pipeline that is being put together; else calls the function."""
        building = builder()
        if building is None:
            return self.function(*args, **kwargs)
        name = self.__name__
        after = kwargs.pop("after", None) if "after" not in self._definition.parameters else None
        bound = bound_arguments(name, self._definition.signature, args, kwargs)
        inputs: dict[str, PipelineInput] = {}
        literals: dict[str, Any] = {}
        for key, value in bound.items():
            if isinstance(value, PipelineInput):
                inputs[key] = value
            elif _is_list_of_inputs(value):
                inputs.update({element(key, index): item for index, item in enumerate(value)})
            else:
                _check_literal(value, f"{name}: argument {key!r}")
                literals[key] = value
        made = self.step_class(**literals).with_options(**self._options.as_dict())
        outputs = building.call(made, inputs, after)
        return outputs_of_call(outputs)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        # A function in a class would become a method; its `self` could not be recorded.
        return self

    def __reduce__(self) -> Any:
        # By name, like a function, where the name leads here.
        path = self.function.__module__, self.function.__qualname__
        found = _find(*path)
        if path[0] != "__main__" and getattr(found, "function", None) is self.function:
            return _again, (*path, self._options)
        return StepFunction, (self._definition, self._options)

    def __repr__(self) -> str:
        return f"<step {self.function.__module__}.{self.function.__qualname__}>"


def _again(module: str, qualname: str, options: StepOptions) -> Any:
    return StepFunction(_find(module, qualname)._definition, options)


def _find(module: str, qualname: str) -> Any:
    found: Any = sys.modules.get(module) or __import__(module, fromlist=["_"])
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _is_list_of_inputs(value: Any) -> bool:
    # A tuple is what a call with several outputs gives: rather a slip than a list.
    return (
        isinstance(value, list) and bool(value) and all(isinstance(x, PipelineInput) for x in value)
    )


def _check_literal(value: Any, where: str) -> None:
    """Refuses outputs that are hidden in a container."""
    parts: Sequence[Any] = ()
    if isinstance(value, (list, tuple)):
        parts = value
    elif isinstance(value, dict):
        parts = list(value.values())
    if any(isinstance(part, PipelineInput) for part in parts):
        raise ParameterError(
            f"{where} is a {type(value).__name__} with outputs of steps in it. Give each output as "
            "an argument of its own, or a list of outputs and nothing else."
        )


@overload
def step(function: Callable[_P, _R], /) -> StepFunction[_P, _R]: ...
@overload
def step(**options: Any) -> Callable[[Callable[_P, _R]], StepFunction[_P, _R]]: ...
def step(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Makes a function a step.

    Use it as ``@step``, or with options as ``@step(enable_cache=False)``. In a ``@pipeline``, each
    argument of a call is an artifact (an output of another step, an ``ArtifactVersion``) or a
    parameter (any value that can be recorded). What the function returns is saved as artifacts.

    Args:
        function: The function.
        **options: See :meth:`StepFunction.with_options`.

    Returns:
        What can be called in a pipeline.

    Raises:
        StepDefinitionError: If the function cannot be a step.
    """
    if function is None:
        return functools.partial(_made, StepOptions().replace("@step", **options))
    if options:
        raise StepDefinitionError("@step takes a function, or options, not both.")
    return _made(StepOptions(), function)


def _made(options: StepOptions, function: Callable[..., Any]) -> StepFunction[..., Any]:
    if isinstance(function, StepFunction):
        return function.with_options(**options.as_dict())
    definition = _StepDefinition(function)
    if not function.__module__.startswith("zentfx."):
        note_loaded()
    # Bad names are an error here. It is read again when all that it mentions is defined.
    declared_outputs(function)
    return StepFunction(definition, options)
