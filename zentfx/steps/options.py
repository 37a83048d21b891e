"""Options of a step: settings that are not parameters, and so are not part of what it computes."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from zentfx.errors import ParameterError, UnknownParameterError, near_matches
from zentfx.parameters import coerce

__all__ = ["StepOptions"]

_TYPES: dict[str, Any] = {
    "name": str | None,
    "enable_cache": bool | None,
    "code_version": str | None,
    "retries": int | None,
    "timeout": float | None,
    "substitutions": dict[str, str] | None,
}
_MISPLACED = " It is a parameter of the step: give it where the step is made or called."


@dataclasses.dataclass(frozen=True)
class StepOptions:
    """Options of one step.

    Attributes:
        name: The step's name in a pipeline; None for the place's usual one.
        enable_cache: Whether an earlier result may be reused; None for the pipeline's setting.
        code_version: A name for the state of the code, instead of its fingerprint.
        retries: How often the step is run again after it failed; None for 0.
        timeout: Seconds after which it is stopped, and has failed; None for no limit. Such a step
            runs in a worker process.
        substitutions: Values of placeholders in the names of its outputs.
    """

    name: str | None = None
    enable_cache: bool | None = None
    code_version: str | None = None
    retries: int | None = None
    timeout: float | None = None
    substitutions: Mapping[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The options that are set, by name."""
        values = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def replace(
        self, owner: str, parameters: Collection[str] = (), /, **options: Any
    ) -> StepOptions:
        """Returns these options with some changed.

        Args:
            owner: Who was given them, for messages.
            parameters: Names of the step's parameters, which are no options.
            **options: Fields by name.

        Returns:
            The new options.

        Raises:
            UnknownParameterError: For a field that does not exist.
            ParameterTypeError: For a value of the wrong type.
            ParameterError: For a number that cannot be.
        """
        for name, value in options.items():
            if name not in _TYPES:
                raise UnknownParameterError(
                    f"{owner} has no option {name!r}."
                    + (_MISPLACED if name in parameters else near_matches(name, _TYPES))
                )
            where = f"{owner}: {name!r}"
            options[name] = value = coerce(value, _TYPES[name], where)
            if name == "retries" and value is not None and value < 0:
                raise ParameterError(f"{where} must not be negative; {value} came.")
            if name == "timeout" and value is not None and value <= 0:
                raise ParameterError(f"{where} must be more than 0 seconds; {value} came.")
        return dataclasses.replace(self, **options)
