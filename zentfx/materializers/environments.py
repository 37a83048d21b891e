"""The environments that values were saved in, by what is recorded; is this one alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zentfx import environment
from zentfx.records.encoding import joined
from zentfx.records.schema import Artifact

__all__ = ["described", "environment_of", "unlike_here"]


def environment_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """The versions that are recorded of an artifact.

    Args:
        properties: Its recorded properties.

    Returns:
        Versions of Python and of the packages that its value is made of; empty where none are.
    """
    text = joined(Artifact.ENVIRONMENT, properties)
    return json.loads(text) if text else {}


def described(versions: Mapping[str, str]) -> str:
    """Versions as a sentence has them.

    Args:
        versions: Versions by distribution, and of Python.

    Returns:
        For example ``Python 3.10.13, numpy 1.26.4``.
    """
    names = sorted(versions, key=lambda name: (name != "python", name))
    return ", ".join(f"{'Python' if name == 'python' else name} {versions[name]}" for name in names)


def unlike_here(properties: Mapping[str, Any]) -> str:
    """Says why this environment is not one that can be trusted to load a pickled value.

    Pickles hold code of one minor version of Python, and names of what is inside packages, which
    stay within a major version.

    Args:
        properties: The artifact's recorded properties.

    Returns:
        The versions that differ, and those that are here; empty if it can, or is not pickled.
    """
    if not properties.get(Artifact.PICKLED):
        return ""
    then = environment_of(properties)
    now = environment.installed_versions(then)
    differ = [name for name in then if _series(name, then[name]) != _series(name, now.get(name))]
    if not differ:
        return ""
    here = [described({name: now[name] for name in differ if name in now})]
    here += [f"no {name}" for name in differ if name not in now]
    before = described({name: then[name] for name in differ})
    return f"{before}; here is {', '.join(filter(None, here))}"


def _series(name: str, version: str | None) -> tuple[str, ...]:
    """The part of a version that must be the same: of 0.x the x too."""
    parts = (version or "").split(".")
    return tuple(parts[:2] if name == "python" or parts[0] == "0" else parts[:1])
