"""The user's project: which files and modules are its own, where they lie, what they are called.

Standard library only.
"""

from __future__ import annotations

import contextlib
import importlib.util
import linecache
import os
import pkgutil
import sys
import sysconfig
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = [
    "is_installed_file",
    "is_of_others",
    "is_ours",
    "is_users_file",
    "is_users_package",
    "module_name",
    "packages_of",
    "project_file",
    "stable_name",
]

_OURS = Path(__file__).parents[1]
_PATHS = {*map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))}
_INSTALLED = tuple(Path(path).resolve() for path in _PATHS)
# The same as text, and as Python spells them: asked about thousands of files, Path is slow.
_BELOW = tuple({f"{path}{os.sep}" for path in [*_INSTALLED, *_PATHS]})
_PACKAGES = frozenset({"site-packages", "dist-packages"})


def is_installed_file(file: Path) -> bool:
    """Says whether a source file is one of Python or of an installed package.

    Args:
        file: The file.

    Returns:
        Whether it is.
    """
    if str(file).startswith(_BELOW):
        return True
    file = file.resolve()
    return not _PACKAGES.isdisjoint(file.parts) or any(
        file.is_relative_to(folder) for folder in _INSTALLED
    )


def is_users_file(name: str) -> bool:
    """Says whether a source file is the user's own: not of Python, an installed package, or zentfx.

    Args:
        name: The file's name as code objects have it; that of a notebook's cell, too.

    Returns:
        Whether it is.
    """
    if name.startswith("<frozen") or (name.startswith("<") and not linecache.getlines(name)):
        return False
    file = Path(name)
    return not is_installed_file(file) and not file.is_relative_to(_OURS)


def is_ours(module: str) -> bool:
    """Says whether a module is one of zentfx.

    Args:
        module: Its name.

    Returns:
        Whether it is.
    """
    return module.partition(".")[0] == "zentfx"


def is_of_others(thing: Any) -> bool:
    """Says whether a class, function or module is one of zentfx, of Python or of a package.

    Args:
        thing: The class, function or module.

    Returns:
        Whether it is.
    """
    name = module_name(thing)
    module = sys.modules.get(name)
    return is_ours(name) or (module is not None and _is_installed(module))


def _attribute(module: Any, name: str) -> Any:
    # Not getattr: packages load parts of themselves on that, and some objects make things up.
    return vars(module).get(name) if isinstance(module, ModuleType) else None


def module_name(thing: Any) -> str:
    """The name of a module, or of the one that something is defined in.

    Args:
        thing: The module, class or function.

    Returns:
        The name.
    """
    return thing.__name__ if isinstance(thing, ModuleType) else str(thing.__module__)


def _is_installed(module: ModuleType) -> bool:
    origin = _attribute(module, "__file__")
    if origin is None:
        return _attribute(module, "__spec__") is not None  # built in, or a namespace package
    return is_installed_file(Path(origin))


def is_users_package(name: str) -> bool:
    """Says whether a module, or a package, may be the user's own.

    Args:
        name: Its name, without a dot.

    Returns:
        Whether it may be; True for one that cannot be found.
    """
    if _is_base(name):
        return False
    module = sys.modules.get(name)
    spec = _attribute(module, "__spec__") or _spec(name)
    if spec is None:
        return True
    places = [spec.origin] if spec.has_location else spec.submodule_search_locations or []
    return not _are_installed(places)


def packages_of(modules: Iterable[str]) -> frozenset[str]:
    """The packages of others that modules are of, as far as they are installed.

    Args:
        modules: Names of modules.

    Returns:
        The first parts of the names, without those of Python itself and of zentfx.
    """
    names = {name.partition(".")[0] for name in modules} - {"__main__"}
    return frozenset(name for name in names if not is_users_package(name) and not _is_base(name))


def _is_base(name: str) -> bool:
    return is_ours(name) or name in sys.stdlib_module_names


def project_file(name: str) -> Path | None:
    """The source file of a module of the user's project, be it imported yet or not.

    Args:
        name: The module's name; it may be that of nothing.

    Returns:
        The file; None of what is not in the project, or has no source file.
    """
    if is_ours(name):
        return None
    module = sys.modules.get(name)
    if module is not None:
        origin = _attribute(module, "__file__")
    else:
        spec = _spec(name)
        origin = spec.origin if spec is not None else None
    if origin is None or not origin.endswith(".py"):
        return None
    file = Path(origin)
    try:
        return file if file.is_file() and not is_installed_file(file) else None
    except PermissionError:  # in a folder that this user may not look into
        return None


def _spec(name: str) -> ModuleSpec | None:
    """Finds a module that may be the user's, without importing it or the packages it is in."""
    parent, _, own = name.rpartition(".")
    if not parent:
        try:
            return importlib.util.find_spec(own)
        except Exception:  # noqa: BLE001 - what stands for a module, and finders, may raise anything
            return None
    loaded = sys.modules.get(parent)
    if loaded is None:
        package = _spec(parent)
        places = _places_of(package) if package is not None else None
    else:
        places = _attribute(loaded, "__path__")
    # In an installed package there is nothing of the user's: most names are of one.
    if places is None or _are_installed(places):
        return None
    return _spec_in(name, places)


def _places_of(package: ModuleSpec) -> list[str] | None:
    """Where a package that is not loaded looks for its modules, as far as can be said."""
    places = package.submodule_search_locations
    if places is None or not package.has_location or _are_installed([package.origin]):
        return places
    # pkgutil.extend_path, which it may call, adds the folders of its name.
    with contextlib.suppress(OSError):
        if b"extend_path" in Path(str(package.origin)).read_bytes():
            own = package.name.replace(".", "/")
            more = [str(Path(folder, own)) for folder in sys.path if Path(folder, own).is_dir()]
            return [*places, *(place for place in more if place not in places)]
    return places


def _spec_in(name: str, places: Iterable[str]) -> ModuleSpec | None:
    """Finds a module in folders of a package; Python's own search wants the package loaded."""
    folders: list[str] = []
    for place in places:
        finder = pkgutil.get_importer(str(place))
        spec = finder.find_spec(name) if finder is not None else None
        if spec is not None and spec.loader is not None:
            return spec
        folders += spec.submodule_search_locations or [] if spec is not None else []
    namespace = ModuleSpec(name, None)
    namespace.submodule_search_locations = folders
    return namespace if folders else None


def _are_installed(places: Iterable[str | None]) -> bool:
    """Whether a package is; one that is a namespace may be of several folders."""
    return all(is_installed_file(Path(str(place), "_")) for place in places)


def stable_name(name: str, file: Path) -> str:
    """A name that a module has in every process.

    A script is ``__main__`` when it is run and has its own name when it is imported: the same code.

    Args:
        name: The module's name in this process.
        file: Its source file.

    Returns:
        The name.
    """
    if name == "__main__":
        spec = getattr(sys.modules[name], "__spec__", None)
        return spec.name if spec is not None else file.stem
    return name
