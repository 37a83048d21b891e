"""Facts about this process that are recorded with a run: who, where, which versions, which code.

Standard library only.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

__all__ = [
    "base_packages",
    "code_revision",
    "host",
    "installed_versions",
    "package_versions",
    "remember",
    "user",
    "versions_by_package",
]

# By the names that are imported, their distributions: those that results depend on most.
_PACKAGES = {
    "tfx": "tfx",
    "ml_metadata": "ml-metadata",
    "tensorflow": "tensorflow",
    "apache_beam": "apache-beam",
    "keras": "keras",
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "sklearn": "scikit-learn",
    "torch": "torch",
}
# What was looked up before, here or by an earlier process.
_known: dict[str, dict[str, str]] = {}


def base_packages() -> tuple[str, ...]:
    """The packages that results depend on most, by the names that are imported."""
    return tuple(_PACKAGES)


def package_versions(packages: Iterable[str] = tuple(_PACKAGES)) -> dict[str, str]:
    """Versions of Python and of packages.

    Args:
        packages: Their names, as they are imported; by default those that results depend on most.

    Returns:
        Version by distribution name, of those that are installed.
    """
    python = {"python": ".".join(map(str, sys.version_info[:3]))}
    found = versions_by_package(packages).values()
    return {**python, **{name: item for versions in found for name, item in versions.items()}}


def installed_versions(distributions: Iterable[str]) -> dict[str, str]:
    """Versions of distributions, by their own names.

    Args:
        distributions: The names, as in what :func:`package_versions` gives; ``python`` too.

    Returns:
        Version by name, of those that are installed.
    """
    known = {
        **package_versions(()),
        **{k: v for found in _known.values() for k, v in found.items()},
    }
    return {name: version for name in distributions if (version := known.get(name) or _of(name))}


def _of(distribution: str) -> str | None:
    from importlib import metadata  # late: it takes a while

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def versions_by_package(packages: Iterable[str], fresh: bool = False) -> dict[str, dict[str, str]]:
    """Versions of packages.

    Args:
        packages: Their names, as they are imported.
        fresh: Whether to look them up anew: packages have been installed or removed.

    Returns:
        For each, its version by distribution name; nothing for one that is not installed.
    """
    if fresh:
        _distributions.cache_clear()
    found = {}  # of this call alone: another thread may be looking too
    for name in packages:
        known = None if fresh else _known.get(name)
        found[name] = _version_of(name) if known is None else known
    _known.update(found)
    return found


def remember(versions: Mapping[str, Mapping[str, str]]) -> None:
    """Takes what :func:`versions_by_package` gave another process in the same surroundings.

    Args:
        versions: Versions by distribution name, by package.
    """
    _known.update({name: dict(found) for name, found in versions.items()})


def _version_of(package: str) -> dict[str, str]:
    from importlib import metadata

    # Most distributions are called like their package; to read which have which takes longer.
    name = _PACKAGES.get(package, package.replace("_", "-"))
    version = _of(name)
    if version is not None or package in _PACKAGES:
        return {name: version} if version is not None else {}
    names = {*_distributions().get(package, ())}
    # A namespace of many, google say, says nothing of what is used of it.
    return {name: metadata.version(name) for name in names} if len(names) == 1 else {}


@cache
def _distributions() -> Mapping[str, Sequence[str]]:
    from importlib import metadata

    return metadata.packages_distributions()


def user() -> str:
    """Login name of the user; empty where the system does not tell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def host() -> str:
    """Name of the machine."""
    return socket.gethostname()


def code_revision(folder: Path) -> str | None:
    """The git commit of the code in a folder.

    Args:
        folder: The folder.

    Returns:
        The commit's hash, with ``-dirty`` where tracked files differ from it; None without git or
        outside a checkout.
    """
    checkout = any((above / ".git").exists() for above in [folder.absolute(), *folder.parents])
    git = shutil.which("git") if checkout or "GIT_DIR" in os.environ else None
    if git is None:
        return None
    command = [
        git,
        "-C",
        str(folder),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--exclude=*",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
