"""Imports of the user's modules in a worker: the texts that the parent loaded, not the files'.

The parent fingerprinted the code that it has loaded. A file may have been edited since; run here,
the new text would be recorded under the old one's fingerprint.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import linecache
import sys
from collections.abc import Collection, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from zentfx.source_code.project_files import is_users_file
from zentfx.source_code.user_sources import ModuleText, read_source

__all__ = ["UserModules", "text_digest"]


def text_digest(text: str) -> str:
    """Names a text.

    Args:
        text: The text.

    Returns:
        Its hex SHA-256.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class UserModules(importlib.abc.MetaPathFinder):
    """Finds the user's modules with the texts that are given, others where they are.

    Attributes:
        loaded: File and digest of the text of each module of the user's that was loaded.
    """

    def __init__(self) -> None:
        self.loaded: dict[str, tuple[str, str]] = {}
        self._given: dict[str, ModuleText] = {}

    def install(self) -> None:
        """Goes before Python's finder of files."""
        sys.meta_path.insert(sys.meta_path.index(PathFinder), self)

    def give(self, modules: Mapping[str, ModuleText], names: Collection[str]) -> None:
        """Takes further texts, and forgets those that the parent has loaded no more.

        Args:
            modules: Texts by module.
            names: All modules that the parent has loaded.
        """
        given = {**self._given, **modules}
        self._given = {name: given[name] for name in names}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Finds a module for an import statement."""
        given = self._given.get(fullname)
        if given is not None:
            return self._spec(fullname, given)
        spec = PathFinder.find_spec(fullname, path)
        file = spec.origin if spec is not None else None
        # The first test is for speed: TensorFlow brings thousands of modules.
        if not file or "site-packages" in file or not file.endswith(".py"):
            return spec
        if spec is None or type(spec.loader).__name__ != "SourceFileLoader":
            return spec
        if not is_users_file(file):
            return spec
        places = spec.submodule_search_locations
        folders = None if places is None else tuple(places)
        return self._spec(fullname, ModuleText(read_source(Path(file)), file, folders))

    def _spec(self, name: str, module: ModuleText) -> ModuleSpec | None:
        folders = None if module.folders is None else list(module.folders)
        if module.text is None:
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = folders
            return spec
        self.loaded[name] = (module.file, text_digest(module.text))
        return spec_from_file_location(
            name,
            module.file,
            loader=_TextLoader(module.text, module.file, folders is not None),
            submodule_search_locations=folders,
        )


class _TextLoader(importlib.abc.InspectLoader):
    """Loads a module from a text that stands for its file."""

    def __init__(self, text: str, file: str, is_package: bool) -> None:
        self._text = text
        self._file = file
        self._is_package = is_package

    def get_filename(self, fullname: str) -> str:
        """The file that the text is from."""
        return self._file

    def get_source(self, fullname: str) -> str:
        """The text."""
        return self._text

    def is_package(self, fullname: str) -> bool:
        """Whether the module is a package."""
        return self._is_package

    def get_code(self, fullname: str) -> CodeType:
        """The text, compiled."""
        return self.source_to_code(self._text, self._file)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the text as the module's code."""
        # For tracebacks, and for those who read the source of functions (AutoGraph does). Without
        # a time, linecache never looks at the file.
        lines = self._text.splitlines(keepends=True)
        linecache.cache[self._file] = (len(self._text), None, lines, self._file)
        super().exec_module(module)
