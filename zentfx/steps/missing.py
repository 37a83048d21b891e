"""Steps of recorded pipelines whose classes this process does not have: to look at, not to run."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from zentfx.parameters import Parameter
from zentfx.steps.base import ANYTHING, BaseStep, StepMeta

__all__ = ["MissingStep", "missing_step"]


class _AnyName(Mapping[str, str]):
    """Inputs or outputs of which nothing is known: each name is one, for artifacts of all types."""

    def __getitem__(self, key: str) -> str:
        return ANYTHING

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class MissingStepMeta(StepMeta):
    """Makes steps of recorded arguments, which nobody here can check."""

    def __call__(  # type: ignore[override,misc]
        cls: type[MissingStep],  # noqa: N805
        **arguments: Any,
    ) -> MissingStep:
        """Makes a step."""
        made = cls.__new__(cls)
        vars(made)["_arguments"] = copy.deepcopy(arguments)
        vars(made)["_derived"] = {}
        return made


class MissingStep(BaseStep, metaclass=MissingStepMeta):
    """A step whose class cannot be had; :func:`missing_step` makes a subclass for each.

    It has the arguments and options that are recorded, and the name of its class.

    Attributes:
        problem: Why there is no class. Sentences.
        names: Names of the arguments.
    """

    problem: ClassVar[str] = ""
    names: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def _check_channels(cls) -> None:
        pass

    @classmethod
    def parameter_schema(cls) -> dict[str, Parameter]:
        """The arguments, of any type."""
        return {name: Parameter(name) for name in cls.names}

    def completed(self, connected: Collection[str]) -> MissingStep:
        """See the base class; what is recorded is complete."""
        return self


def missing_step(source: str, arguments: Mapping[str, Any], problem: str) -> MissingStep:
    """Makes a step for one whose class cannot be had.

    Args:
        source: Dotted name of the class.
        arguments: The step's arguments.
        problem: Why there is no class. Sentences.

    Returns:
        The step.
    """
    module, _, name = source.rpartition(".")
    make: Any = MissingStepMeta
    body = {
        "__module__": module,
        "__qualname__": name,
        "inputs": _AnyName(),
        "outputs": _AnyName(),
        "problem": problem,
        "names": tuple(arguments),
    }
    step: MissingStep = make(name, (MissingStep,), body)(**arguments)
    return step
