"""The base of all steps: captures a constructor's arguments before its body runs."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import re
from abc import ABCMeta
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from zentfx import parameters
from zentfx.errors import ParameterError, PipelineError, StepDefinitionError
from zentfx.names import check_length
from zentfx.source_code.user_sources import note_loaded
from zentfx.steps.artifacts import InputArtifact, OutputArtifact
from zentfx.steps.calls import builder, outputs_of_call
from zentfx.steps.options import StepOptions
from zentfx.steps.outputs import Output, check_substitutions

__all__ = ["ANYTHING", "BaseStep", "StepMeta", "snake_case"]

# The type of an input that takes artifacts of all types.
ANYTHING = "*"

_Step = TypeVar("_Step", bound="BaseStep")


class StepMeta(ABCMeta):
    """Binds, checks and converts the arguments of a step's constructor before its body runs."""

    def __setattr__(cls, name: str, value: Any) -> None:
        # Not only when the class is made: the decorator dataclass adds a constructor afterwards.
        super().__setattr__(name, _recording(cls, value) if name == "__init__" else value)

    def __call__(cls: type[_Step], *args: Any, **kwargs: Any) -> _Step:  # type: ignore[misc]
        """Makes a step, which knows the arguments that it was made of."""
        if inspect.isabstract(cls):
            raise StepDefinitionError(
                f"{cls.__qualname__} is the base of a kind of steps. Make a step of a subclass "
                f"that defines {', '.join(sorted(cls.__abstractmethods__))}."
            )
        schema = cls.parameter_schema()
        given, bound = parameters.bind(schema, args, kwargs, cls.__name__)
        step = cls.__new__(cls)
        own = vars(step)  # not by assignment, which a frozen dataclass refuses
        own["_received"] = []
        # Only what was given is passed on: a subclass may itself pass an inherited keyword to its
        # base, and a default passed along with it would be given twice.
        step.__init__(**copy.deepcopy(given))  # type: ignore[misc]
        own["_arguments"], own["_derived"] = _recorded(schema, given, bound, own.pop("_received"))
        step.check()
        return step


@dataclasses.dataclass(frozen=True)
class _Call:
    """A call of one constructor of the chain.

    Attributes:
        passed: Names of the keywords that were passed.
        values: What the constructor received: all its keywords, defaults included.
    """

    passed: frozenset[str]
    values: Mapping[str, Any]


def _recorded(
    schema: Mapping[str, parameters.Parameter],
    given: Mapping[str, Any],
    bound: Mapping[str, Any],
    received: Sequence[_Call],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Splits what the constructors received into arguments and derived values.

    A subclass may fix or compute what it passes to its base. Such values are not arguments (calling
    the class with them would fail, or compute them twice), but they are what the base works with.

    Args:
        schema: The parameters of the most derived class.
        given: What the caller passed.
        bound: The same with defaults.
        received: The calls of the constructors, most derived first.

    Returns:
        The arguments that rebuild the step, and the derived values, by name.
    """
    arguments = dict(bound)
    derived: dict[str, Any] = {}
    seen: set[str] = set()
    for call in received:
        for name, value in call.values.items():
            # Passed to the constructor that declares it, but not by the caller.
            fixed = name not in seen and name in call.passed and name not in given
            seen.add(name)
            if fixed:
                arguments.pop(name, None)
            if fixed or name not in schema or not _same(value, bound[name]):
                derived[name] = value
    return arguments, derived


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _recording(cls: type, constructor: Callable[..., None]) -> Callable[..., None]:
    """Wraps one ``__init__``: it receives bound values, defaults too, and the step notes them."""
    if hasattr(constructor, "_records"):
        return constructor  # one of another class, or of a class that cloudpickle rebuilds
    _check_names(cls, constructor)
    signature = _make_defaults(cls, constructor)

    @functools.wraps(constructor)
    def recording(self: BaseStep, *args: Any, **kwargs: Any) -> None:
        received = getattr(self, "_received", None)
        if received is None:  # called again after construction, by the user
            constructor(self, *args, **kwargs)
            return
        call = signature.bind(self, *args, **kwargs)
        received.append(_bound_call(constructor, call, type(self).__name__))
        constructor(*call.args, **call.kwargs)

    recording._records = True  # type: ignore[attr-defined]
    return recording


def _bound_call(
    constructor: Callable[..., None], call: inspect.BoundArguments, owner: str
) -> _Call:
    """Adds defaults to a call and converts its arguments, in place; notes copies of them."""
    schema = parameters.merged_parameters([constructor], owner)
    passed = frozenset(schema.keys() & call.arguments.keys())
    call.apply_defaults()
    for name, item in schema.items():
        call.arguments[name] = item.coerce(call.arguments[name], owner)
    return _Call(passed, copy.deepcopy({name: call.arguments[name] for name in schema}))


def _make_defaults(cls: type, constructor: Callable[..., None]) -> inspect.Signature:
    """A constructor's signature; the defaults of a dataclass that have a factory are made once."""
    signature = inspect.signature(constructor)
    fields: Mapping[str, Any] = vars(cls).get("__dataclass_fields__", {})
    made = {
        name: field.default_factory()
        for name, field in fields.items()
        if field.default_factory is not dataclasses.MISSING
    }
    if made:
        signature = signature.replace(
            parameters=[
                item.replace(default=made[name]) if name in made else item
                for name, item in signature.parameters.items()
            ]
        )
        constructor.__signature__ = signature  # type: ignore[attr-defined]
    return signature


def snake_case(name: str) -> str:
    """The usual name of a step of a class.

    Args:
        name: The class's name.

    Returns:
        The name in lower case, with underscores between its words.
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _check_declaration(cls: type, name: str, value: Any) -> None:
    if not isinstance(value, Mapping) or not all(
        isinstance(text, str) for pair in value.items() for text in pair
    ):
        raise StepDefinitionError(
            f"{cls.__qualname__}: {name} must map names to artifact types, as "
            f'{{"examples": "Examples"}}; {value!r} came.'
        )
    for key, kind in value.items():
        # The folder of an output is called like it, and wiring is written "step.output".
        if not key.strip() or not key.isprintable() or not {".", "/", "\\"}.isdisjoint(key):
            raise StepDefinitionError(
                f"{cls.__qualname__}: names in {name} have printable characters other than "
                f"'.', '/' and '\\'; got {key!r}."
            )
        check_length(key, f"{cls.__qualname__}: a name in {name}", StepDefinitionError)
        check_length(kind, f"{cls.__qualname__}: a type in {name}", StepDefinitionError)


def _check_names(cls: Any, constructor: Callable[..., None]) -> None:
    declared = parameters.merged_parameters([constructor], cls.__qualname__)
    taken = sorted(name for name in declared if name in cls.reserved)
    if taken:
        raise StepDefinitionError(
            f"{cls.__qualname__}: the parameter name {taken[0]!r} belongs to TFX's {cls.wraps} "
            f"component. Choose another; reserved are {', '.join(sorted(cls.reserved))}."
        )
    of_steps = sorted(name for name in declared if name in _step_attributes())
    if of_steps:
        raise StepDefinitionError(
            f"{cls.__qualname__}: every step has an attribute {of_steps[0]!r}; call the parameter "
            "something else."
        )
    for name in declared:
        check_length(name, f"{cls.__qualname__}: a parameter", StepDefinitionError)
    ours = sorted(name for name in declared if name.startswith("zentfx_"))
    if ours:
        raise StepDefinitionError(
            f"{cls.__qualname__}: parameter names that start with 'zentfx_' are reserved; "
            f"rename {ours[0]!r}."
        )


@functools.cache
def _step_attributes() -> frozenset[str]:
    return frozenset(name for name in dir(BaseStep) if not name.startswith("__"))


class BaseStep(metaclass=StepMeta):
    """One step of a pipeline; wraps one TFX component.

    A subclass declares what it reads and writes, names its parameters in ``__init__``, and does its
    work in :meth:`process`::

        class DriftGate(BaseStep):
            inputs = {"statistics": "ExampleStatistics"}
            outputs = {"report": "DriftReport"}

            def __init__(self, threshold: float = 0.1) -> None:
                self.threshold = threshold

            def process(self, inputs, outputs):
                statistics = inputs["statistics"].load()
                (outputs["report"].path / "report.txt").write_text(…)

    Every keyword of the constructor is tracked with no further code. ``**kwargs`` that a subclass
    passes on to its base class stand for the base's keywords. Arguments are checked and converted
    before the constructor's body runs, and the instance is treated as immutable from then on: the
    worker that runs the step builds a new one from the class and the recorded arguments.

    Who calls what: zentfx calls :meth:`check` once after construction, :meth:`build_component` when
    a pipeline is compiled, :meth:`process` in the worker.

    Attributes:
        inputs: What the step reads: input name to artifact type. Types are TFX's standard ones by
            name (``Examples``, ``Model``, ``ExampleStatistics``, …) or a name of your own.
        optional_inputs: Names in ``inputs`` that a pipeline may leave unconnected.
        outputs: What the step writes: output name to artifact type.
        unkeyed: Parameters that are recorded but do not count for the cache: names and places that
            do not change the result. Paths never count as such; their content does.
        reserved: Names that a constructor cannot use, because the wrapped TFX component has a
            parameter of its own under them.
        wraps: Name of the stock TFX component that the step wraps; the empty string for a step that
            does its work in :meth:`process`.
        code_version: State of a shipped step's code; raised when its results change.
    """

    inputs: ClassVar[Mapping[str, str]] = MappingProxyType({})
    optional_inputs: ClassVar[frozenset[str]] = frozenset()
    outputs: ClassVar[Mapping[str, str]] = MappingProxyType({})
    unkeyed: ClassVar[frozenset[str]] = frozenset()
    reserved: ClassVar[frozenset[str]] = frozenset()
    wraps: ClassVar[str] = ""
    code_version: ClassVar[str] = "1"

    # Set by the metaclass, around the constructor.
    _arguments: dict[str, Any]
    _derived: dict[str, Any]
    _received: list[_Call]
    _options: StepOptions = StepOptions()

    def __init__(self) -> None:
        """Takes no parameters; the end of every chain of constructors."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__module__.startswith("zentfx."):
            note_loaded()
        cls._check_channels()
        if "__init__" in vars(cls):
            cls.__init__ = vars(cls)["__init__"]  # type: ignore[method-assign] # see StepMeta

    @classmethod
    def _check_channels(cls) -> None:
        for name in ("inputs", "outputs"):
            _check_declaration(cls, name, getattr(cls, name))
        both = sorted(cls.inputs.keys() & cls.outputs.keys())
        if both:
            raise StepDefinitionError(
                f"{cls.__qualname__}: {both[0]!r} is an input and an output; TFX needs two names."
            )

    @classmethod
    def parameter_schema(cls) -> dict[str, parameters.Parameter]:
        """The keywords that the constructor takes, those of base classes by ``**kwargs`` included.

        Returns:
            The parameters by name, the class's own first.

        Raises:
            StepDefinitionError: If a constructor has ``*args`` or positional-only parameters.
        """
        chain = [base.__dict__["__init__"] for base in cls.__mro__[:-1] if "__init__" in vars(base)]
        return parameters.merged_parameters(chain, cls.__qualname__)

    @property
    def arguments(self) -> dict[str, Any]:
        """What rebuilds this step: the constructor's arguments, defaults included (a copy)."""
        return copy.deepcopy(self._arguments)

    @property
    def derived(self) -> dict[str, Any]:
        """Values that constructors computed for their base classes, by parameter (a copy)."""
        return copy.deepcopy(self._derived)

    @property
    def usual_name(self) -> str:
        """Its name in a pipeline, where nobody says one."""
        return snake_case(type(self).__name__)

    @property
    def maker(self) -> Callable[..., BaseStep]:
        """What makes such a step of arguments, in another process too."""
        return type(self)

    @property
    def options(self) -> StepOptions:
        """Settings that are not parameters; see :meth:`with_options`."""
        return self._options

    def with_options(self: _Step, **options: Any) -> _Step:
        """Returns a copy of this step with other options.

        Args:
            **options: Fields of :class:`~zentfx.steps.options.StepOptions`: ``name``,
                ``enable_cache``, ``code_version``, ``retries``, ``timeout``.

        Returns:
            The copy; this step is unchanged.

        Raises:
            UnknownParameterError: For an option that does not exist.
            ParameterTypeError: For a value of the wrong type.
        """
        other = copy.copy(self)
        vars(other)["_options"] = self._options.replace(
            f"{type(self).__name__}.with_options", self.parameter_schema(), **options
        )
        return other

    def __setattr__(self, name: str, value: Any) -> None:
        # What runs is rebuilt from the recorded arguments: a change here would have no effect.
        if name in vars(self).get("_arguments", ()):
            raise ParameterError(
                f"{type(self).__name__}: the parameter {name!r} of a step that is made cannot be "
                f"changed. Make another step: {type(self).__name__}(…, {name}={value!r})."
            )
        super().__setattr__(name, value)

    def check(self) -> None:
        """Checks arguments that a type cannot express; called once, after construction.

        Override it to refuse bad values early. Call ``super().check()`` first.

        Raises:
            ParameterError: If the arguments do not fit.
        """

    def process(
        self, inputs: Mapping[str, InputArtifact], outputs: Mapping[str, OutputArtifact]
    ) -> None:
        """Does the work of a step that wraps no stock component; runs in the worker.

        Args:
            inputs: The connected inputs by name.
            outputs: The outputs by name: empty folders to write into, and their metadata.

        Raises:
            StepDefinitionError: If a subclass needs this method and does not have it.
        """
        raise StepDefinitionError(
            f"{type(self).__name__} does nothing: override process(inputs, outputs), or "
            "build_component(channels) to bring a TFX component of your own."
        )

    def completed(self: _Step, connected: Collection[str]) -> _Step:
        """Called when the step is put into a pipeline.

        Args:
            connected: Its inputs that read something.

        Returns:
            The step with the arguments that it is to have there; by default the step itself.

        Raises:
            PipelineError: If it cannot be connected so.
            UnknownParameterError: If it has substitutions, and no output with a name.
        """
        check_substitutions((), self.options.substitutions or {}, type(self).__name__)
        return self

    def named_outputs(self) -> Mapping[str, Output]:
        """Says which outputs are versions of a named artifact.

        Returns:
            By output name, the name, perhaps with ``{date}`` or ``{time}`` in it, and a version of
            the step's own; by default none.
        """
        return {}

    def __call__(self, *args: Any, after: Any = None, **inputs: Any) -> Any:
        """Adds the step to the ``@pipeline`` that is being put together.

        Args:
            *args: Refused: inputs of a class have no order.
            after: Steps that it waits for, besides those that it reads from: outputs of theirs, or
                their names.
            **inputs: What its inputs read: outputs of other steps, or artifact versions.

        Returns:
            Its output; a tuple of them, in the order of ``outputs``, where it has several; None
            where it has none.

        Raises:
            PipelineError: If no pipeline is being put together, or it has no such input.
        """
        building = builder()
        if building is None:
            raise PipelineError(
                f"{self!r} can be called in a function with @pipeline. Elsewhere, add it to a "
                "pipeline: pipeline.add_step(…)."
            )
        if args:
            name, names = type(self).__name__, ", ".join(f"{item}=…" for item in self.inputs)
            raise PipelineError(f"{name}: give what it reads by name: {name}(…)({names}).")
        outputs = building.call(self, inputs, after)
        return outputs_of_call(outputs)

    def content_files(self, path: Path) -> list[Path] | None:
        """Says which files of a folder count for the cache.

        Args:
            path: A folder among the parameters.

        Returns:
            The files, in a fixed order: their contents count, their names do not. None (the
            default): all files below the folder count, with their names.
        """
        return None

    def reusable(self, outputs: Mapping[str, InputArtifact]) -> bool:
        """Says whether an earlier result of this step may be used instead of running it.

        A step with an effect outside the artifact store says no when the effect is gone.

        Args:
            outputs: What it wrote then, by output name.

        Returns:
            True, unless overridden.
        """
        return True

    def build_component(self, channels: Mapping[str, Any]) -> Any:
        """Brings a whole TFX component instead of :meth:`process`; called at compile time.

        zentfx adds the step's parameters to the component that is returned, as execution parameters
        that it does not have already.

        Args:
            channels: The connected inputs by name, as TFX output channels.

        Returns:
            A TFX ``BaseComponent``, or None (the default) where the step has no component of its
            own.
        """
        return None

    def refuse(self, name: str, message: str) -> ParameterError:
        """Builds the error for an argument that :meth:`check` refuses.

        Args:
            name: The parameter.
            message: What was expected and what came.

        Returns:
            The error, to be raised.
        """
        return ParameterError(f"{type(self).__name__}: parameter {name!r} {message}")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items())
        return f"{type(self).__name__}({shown})"
