"""Imports of packages that a base install does not bring."""

from __future__ import annotations

import importlib
from types import ModuleType

from zentfx.errors import MissingDependencyError
from zentfx.materializers.quiet_tensorflow import quiet_tensorflow

__all__ = ["need"]


def need(module: str, purpose: str) -> ModuleType:
    """Imports a module that comes with ``zentfx[tfx]``; TensorFlow, silently.

    Args:
        module: Its name.
        purpose: What it is needed for, as in "load a Model".

    Returns:
        The module.

    Raises:
        MissingDependencyError: If it is not installed; names the extra.
    """
    try:
        with quiet_tensorflow():
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"To {purpose}, {module} is needed, and it is not installed. "
            'It comes with the full install: pip install "zentfx[tfx]".'
        ) from error
