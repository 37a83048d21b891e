"""What there is to know of a function that is made a step."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, ParamSpec, TypeVar

from zentfx.errors import StepDefinitionError
from zentfx.names import check_length
from zentfx.parameters import MISSING, Parameter
from zentfx.steps.metric_log import log_metric
from zentfx.steps.outputs import Output, declared_outputs
from zentfx.type_hints import resolved_hints

__all__ = ["FunctionDefinition"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True, eq=False)
class FunctionDefinition(Generic[_P, _R]):
    """A function that was made a step, once for all its options.

    Attributes:
        function: The function.
        signature: Its signature.

    Raises:
        StepDefinitionError: If the function cannot be a step.
    """

    function: Callable[_P, _R]
    signature: inspect.Signature = field(init=False)

    def __post_init__(self) -> None:
        function = self.function
        if not isinstance(function, types.FunctionType):
            raise StepDefinitionError(f"@step is for functions; {function!r} came.")
        if not function.__module__:
            raise StepDefinitionError(
                f"{function.__qualname__} belongs to no module, because exec made it, so its code "
                "cannot be told. Define it in a file or a notebook cell."
            )
        for kind, what in (
            (inspect.iscoroutinefunction, "a coroutine: @step takes plain functions"),
            (inspect.isgeneratorfunction, "a generator: return a list"),
        ):
            if kind(function):
                raise StepDefinitionError(f"{function.__qualname__} is {what}.")
        signature = inspect.signature(function)
        inside = function.__qualname__.rpartition(".")[0]
        if inside and not inside.endswith("<locals>") and [*signature.parameters][:1] == ["self"]:
            raise StepDefinitionError(
                f"{function.__qualname__} is a method: @step is for functions, whose arguments are "
                "all recorded."
            )
        for item in signature.parameters.values():
            if item.kind not in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY):
                raise StepDefinitionError(
                    f"{function.__qualname__} has {item}, but every parameter of a step is "
                    "recorded under its name. Give each a name."
                )
            check_length(item.name, f"{function.__qualname__}: a parameter", StepDefinitionError)
            if item.name.startswith("zentfx_"):
                raise StepDefinitionError(
                    f"{function.__qualname__}: parameter names that start with 'zentfx_' are "
                    f"reserved; rename {item.name!r}."
                )
        if not function.__name__.isidentifier():
            raise StepDefinitionError(f"{function.__qualname__} has no name for a step: use def.")
        object.__setattr__(self, "signature", signature)

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Its parameters by name."""
        hints = resolved_hints(self.function)
        return {
            name: Parameter(name, hints.get(name, MISSING), item.default)
            for name, item in self.signature.parameters.items()
        }

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """What it returns."""
        return declared_outputs(self.function)

    @cached_property
    def logs_metrics(self) -> bool:
        """Whether the function mentions ``log_metric``, or functions that it mentions do."""
        return _logs_metrics(self.function)


def _logs_metrics(function: Callable[..., Any]) -> bool:
    """Whether a function mentions ``log_metric``, itself or in functions that it mentions."""
    seen: set[int] = set()
    waiting: list[Any] = [function]
    while waiting:
        function = inspect.unwrap(waiting.pop())
        if not isinstance(function, types.FunctionType) or id(function) in seen:
            continue
        seen.add(id(function))
        for name in _names(function.__code__):
            if name == log_metric.__name__ or function.__globals__.get(name) is log_metric:
                return True
            waiting.append(function.__globals__.get(name))
    return False


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
