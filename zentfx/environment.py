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
from pathlib import Path

from zentfx._version import __version__

__all__ = ["code_revision", "host", "package_versions", "user"]

_PACKAGES = (
    "tfx",
    "ml-metadata",
    "tensorflow",
    "apache-beam",
    "keras",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "torch",
)


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on most.

    Returns:
        Version by distribution name, of those that are installed.
    """
    from importlib import metadata  # it takes a while

    versions = {"python": ".".join(map(str, sys.version_info[:3])), "zentfx": __version__}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


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
