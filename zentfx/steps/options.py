"""Options of a step: settings that are not parameters, and so are not part of what it computes."""

from __future__ import annotations

import dataclasses
from typing import Any

from zentfx.errors import UnknownParameterError, near_matches
from zentfx.parameters import coerce

__all__ = ["StepOptions"]

_TYPES: dict[str, Any] = {
    "name": str | None,
    "enable_cache": bool | None,
    "code_version": str | None,
}


@dataclasses.dataclass(frozen=True)
class StepOptions:
    """Options of one step.

    Attributes:
        name: The step's name in a pipeline; None for the place's usual one.
        enable_cache: Whether an earlier result may be reused; None for the pipeline's setting.
        code_version: A name for the state of the code, instead of its fingerprint.
    """

    name: str | None = None
    enable_cache: bool | None = None
    code_version: str | None = None

    def replace(self, **options: Any) -> StepOptions:
        """Returns these options with some changed.

        Args:
            **options: Fields by name.

        Returns:
            The new options.

        Raises:
            UnknownParameterError: For a field that does not exist.
            ParameterTypeError: For a value of the wrong type.
        """
        for name, value in options.items():
            if name not in _TYPES:
                raise UnknownParameterError(
                    f"with_options has no option {name!r}.{near_matches(name, _TYPES)}"
                )
            coerce(value, _TYPES[name], f"with_options: {name!r}")
        return dataclasses.replace(self, **options)
