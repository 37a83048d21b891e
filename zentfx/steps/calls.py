"""Calls of steps while a pipeline function is read: what they give, and who is told."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from zentfx.errors import ParameterError, PipelineError, UnknownParameterError, near_matches

if TYPE_CHECKING:
    from zentfx.steps.base import BaseStep

__all__ = [
    "Builder",
    "PipelineInput",
    "StepCall",
    "StepOutput",
    "bound_arguments",
    "builder",
    "building",
    "outputs_of_call",
]


class Builder(Protocol):
    """Puts a pipeline together, from the calls in its function."""

    def call(
        self, step: BaseStep, inputs: Mapping[str, Any], after: Any
    ) -> Sequence[StepOutput] | StepCall:
        """Adds a step.

        Args:
            step: The step.
            inputs: What its inputs read: a :class:`StepOutput` or an ``ArtifactVersion`` each.
            after: Steps that it waits for, besides those that it reads from: outputs of theirs, or
                their names.

        Returns:
            Its outputs; if it has none, what stands for it in ``after``.
        """


class PipelineInput:
    """What an input of a step can read."""


class StepCall(PipelineInput):
    """A step without outputs in the pipeline that is being put together; for ``after``.

    Attributes:
        step: Its name.
    """

    def __init__(self, step: str) -> None:
        self.step = step

    def __repr__(self) -> str:
        return f"<step {self.step}, which has no outputs>"


class _NoValueError(PipelineError, AttributeError):
    """So that ``hasattr`` says no."""


class StepOutput(PipelineInput):
    """An output of a step of the pipeline that is being put together: a place, not yet a value.

    Attributes:
        step: Name of the step.
        output: Name of its output.
        builder: Whose pipeline it is of.
    """

    def __init__(self, step: str, output: str, builder: Builder) -> None:
        self.step = step
        self.output = output
        self.builder = builder

    def _refuse(self, *_: object) -> NoReturn:
        raise PipelineError(
            f"{self!r} is an output of a step, and has no value while the pipeline is put "
            "together. Give it to another step, and work on it there."
        )

    # What people try with a value. Comparing by identity stays: lists of outputs need it.
    __bool__ = __len__ = __getitem__ = __contains__ = __float__ = __int__ = _refuse
    __add__ = __sub__ = __mul__ = __truediv__ = __lt__ = __gt__ = __le__ = __ge__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # what Python itself asks for
            raise AttributeError(name)
        raise _NoValueError(
            f"{self!r} is an output of a step, and has no {name!r} while the pipeline is put "
            "together. Give it to another step, and work on it there."
        )

    def __iter__(self) -> Iterator[Any]:
        raise PipelineError(
            f"{self!r} is one output, and cannot be taken apart. For several outputs, annotate the "
            "function's result with Tuple[A, B] and say return a, b."
        )

    def __format__(self, spec: str) -> str:
        return self._refuse()

    def __repr__(self) -> str:
        return f"<output {self.step}.{self.output}>"


def outputs_of_call(outputs: Sequence[StepOutput] | StepCall) -> Any:
    """What a call of a step gives, as a function would return it.

    Args:
        outputs: The step's outputs, or what stands for it.

    Returns:
        The one output, or a tuple of several; of a step without any, what ``after`` takes.
    """
    if isinstance(outputs, StepCall):
        return outputs
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def bound_arguments(
    name: str, signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Binds the arguments of a call to a function's parameters.

    Args:
        name: The function's name, for messages.
        signature: Its signature.
        args: Positional arguments.
        kwargs: Keyword arguments.

    Returns:
        The arguments that were given, by name.

    Raises:
        UnknownParameterError: For a keyword that the function does not have; names near matches.
        ParameterError: If arguments are missing, or given twice, or there are too many.
    """
    known = signature.parameters
    if all(item.kind is not item.VAR_KEYWORD for item in known.values()):
        for key in kwargs:
            if key not in known:
                raise UnknownParameterError(
                    f"{name} has no parameter {key!r}.{near_matches(key, known)}"
                )
    try:
        return signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise ParameterError(f"{name}{signature} cannot be called like this: {error}.") from error


_builder: ContextVar[Builder | None] = ContextVar("zentfx_builder", default=None)


def builder() -> Builder | None:
    """Whoever puts a pipeline together right now; None where steps are called for their results."""
    return _builder.get()


@contextlib.contextmanager
def building(new: Builder | None) -> Iterator[None]:
    """Within it, calls of steps put a pipeline together.

    Args:
        new: Who is told of the calls; None to call functions as they are.
    """
    token = _builder.set(new)
    try:
        yield
    finally:
        _builder.reset(token)
