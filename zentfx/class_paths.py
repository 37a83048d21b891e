"""Dotted names of classes, and the classes of dotted names.

Standard library only.
"""

from __future__ import annotations

import importlib

import zentfx
from zentfx.errors import NotFoundError

__all__ = ["class_path", "find_class"]


def class_path(cls: type) -> str:
    """The dotted name under which a class is recorded and written to YAML.

    Args:
        cls: The class.

    Returns:
        ``module.Outer.Inner``; for a class that zentfx ships its public name, ``zentfx.Name``,
        which stays when the class moves between modules.
    """
    if cls.__module__.startswith("zentfx.") and cls.__qualname__ in zentfx.__all__:
        return f"zentfx.{cls.__qualname__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def find_class(path: str) -> type:
    """Imports the class of a dotted name.

    Args:
        path: The name, for example ``mysteps.DriftGate``.

    Returns:
        The class.

    Raises:
        NotFoundError: If no module on ``sys.path`` has it.
    """
    parts = path.split(".")
    # Other texts, ".x" for one, are errors of Python's import system.
    longest = len(parts) - 1 if all(part.isidentifier() for part in parts) else 0
    for cut in range(longest, 0, -1):
        module_name = ".".join(parts[:cut])
        try:
            found = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is not None and (module_name + ".").startswith(error.name + "."):
                continue  # this prefix is no module; a shorter one may be
            raise NotFoundError(f"{path!r} cannot be imported: {error}.") from error
        except Exception as error:
            raise NotFoundError(
                f"{path!r} cannot be imported: {module_name} raises {type(error).__name__}: {error}"
            ) from error
        for name in parts[cut:]:
            found = getattr(found, name, None)  # type: ignore[assignment]
        # A function that was made a step stands where its class would.
        found = getattr(found, "step_class", found)
        if isinstance(found, type):
            return found
        break
    raise NotFoundError(
        f"There is no class {path!r}. Expected the dotted name of a class in a module that Python "
        "can import (on sys.path, or installed); a class defined in a notebook or a script has "
        "none that another process could use."
    )
