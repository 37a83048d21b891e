"""Fingerprints of code: what a step's own source adds to its cache key, and the source itself.

The fingerprint of a class covers the modules of the user's classes in its MRO and, transitively,
every module of the user's project that those import, be it inside a function. Of the module of a
function that part counts which the function depends on, see :mod:`.module_parts`. Of what was
typed into a notebook it covers the statement that defines it, and what that mentions: other
definitions, modules, plain constants, and other values by their pickles. Installed packages are
left out. Steps that zentfx ships carry a ``code_version`` instead, which is raised when their
results change.

Standard library only.
"""

from __future__ import annotations

import builtins
import hashlib
import inspect
import json
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from zentfx.errors import StepDefinitionError
from zentfx.source_code.constants import constant_text
from zentfx.source_code.functions import functions_in, instructions
from zentfx.source_code.module_parts import part_for
from zentfx.source_code.normal_form import NORMAL_FORM, normal_digest
from zentfx.source_code.project_files import is_ours, is_users_package, packages_of, project_file
from zentfx.source_code.reached_sources import ReachedSources, closed_over, reach
from zentfx.source_code.step_options import without_step_options
from zentfx.source_code.user_sources import read_source

__all__ = ["CodeIdentity", "code_of", "contents_of"]


@dataclass(frozen=True)
class CodeIdentity:
    """What the code of a class is.

    Attributes:
        fingerprint: Hex SHA-256 of the normal form of the user's sources, and of the code versions
            of shipped classes.
        sources: The source texts, those of shipped classes included, by module (or module and
            class, where a class was typed into a notebook).
        warnings: What is perhaps not as the user thinks: classes that were defined again since,
            modules whose files were edited after they were loaded, values whose content cannot be
            told. Sentences.
        packages: The installed packages that the user's sources use, by the names that are
            imported. They do not count for the fingerprint.
    """

    fingerprint: str
    sources: dict[str, str]
    warnings: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()

    @cached_property
    def sources_text(self) -> str:
        """The sources as one JSON text."""
        return json.dumps(self.sources, sort_keys=True, indent=1)

    @cached_property
    def sources_digest(self) -> str:
        """Hex SHA-256 of :attr:`sources_text`: two states of the code may share a fingerprint."""
        return hashlib.sha256(self.sources_text.encode()).hexdigest()


def code_of(cls: type, code_version: str | None = None) -> CodeIdentity:
    """Identifies the code of a step class.

    Args:
        cls: The class.
        code_version: A name that the user gives to this state of the code; it replaces the
            fingerprint, and edits no longer count.

    Returns:
        The fingerprint and the sources.

    Raises:
        StepDefinitionError: If the code cannot be told and no ``code_version`` was given: a class
            was defined where no source can be found (``exec``, a deleted file), or replaced by
            loading its module again; or a file cannot be parsed.
    """
    sources = ReachedSources()
    shipped: dict[str, str] = {}
    parts: list[str] = []
    for base in inspect.getmro(cls)[:-1]:
        if is_ours(base.__module__):
            parts.append(f"{base.__module__}.{base.__qualname__}={_own_version(base)}")
            shipped[base.__module__] = read_source(Path(str(sys.modules[base.__module__].__file__)))
            continue
        # A step that is a function keeps it here; its class is made of nothing else.
        function = vars(base).get("source_function")
        thing: Any = function.__func__ if isinstance(function, staticmethod) else base
        known = not _is_of_exec(base) and reach(thing, sources)
        sources.update(_own_installed(base))
        closed = closed_over(thing, sources)
        if code_version is not None:
            continue
        call = "" if function is not None else "(…)"
        remedy = f"{cls.__name__}{call}.with_options(code_version='1')"
        if not known:
            raise StepDefinitionError(
                f"The source of {base.__qualname__} cannot be found, so changes to it would go "
                "unnoticed. Define it in a file or a notebook cell (%%time hides its text: leave "
                f"it out), or name its state: {remedy}."
            )
        for name, value in closed.items():
            constant = constant_text(value)
            if constant is None:
                raise StepDefinitionError(
                    f"{base.__qualname__} uses {name} from the function that it is defined in, a "
                    f"{type(value).__name__}, so changes to it would go unnoticed. Make it a "
                    f"parameter of the step, or name its state: {remedy}."
                )
            parts.append(f"{base.__qualname__}:{name}={constant}")
    for name, text in sources.packages.items():
        sources.setdefault(name, text)
    parts += [f"{name}={normal_digest(text)}" for name, text in sorted(sources.items())]
    # What cannot be told apart is never the same: a needless miss is only slow.
    parts += [f"opaque={uuid.uuid4()}" for _ in sources.opaque]
    if code_version is not None:
        parts = [f"code_version={code_version}"]
    digest = hashlib.sha256("\n".join([f"v{NORMAL_FORM}", *parts]).encode())
    warnings = (*_defined_again(cls, refuse=code_version is None), *_edited(sources))
    if code_version is None:
        warnings += tuple(f"{what}, so the step is not reused." for what in sources.opaque)
    packages = packages_of(sources.others)
    return CodeIdentity(digest.hexdigest(), {**sources, **shipped}, warnings, packages)


def _is_of_exec(cls: type) -> bool:
    """Whether a class is of no module: Python then says that it is one of its own."""
    return cls.__module__ == "builtins" and getattr(builtins, cls.__name__, None) is not cls


def _defined_again(cls: type, refuse: bool) -> Iterator[str]:
    """Says which classes of a step were replaced by others of their name, with other code.

    Of a module that was loaded again only the new text is known: then the old class is refused.
    """
    for base in inspect.getmro(cls)[:-1]:
        if is_ours(base.__module__) or "<locals>" in base.__qualname__:
            continue
        now: Any = sys.modules.get(base.__module__)
        for part in base.__qualname__.split("."):
            now = vars(now).get(part) if isinstance(now, (ModuleType, type)) else None
        # Where the function stands that the class was made of, the new one's stands now.
        now = getattr(now, "step_class", now)
        # `class Gate(Gate)` replaces a name on purpose.
        if not isinstance(now, type) or now in cls.__mro__ or contents_of(now) == contents_of(base):
            continue
        what = f"The class {base.__qualname__} was defined again since the step was made"
        if refuse and project_file(base.__module__) is not None:
            raise StepDefinitionError(
                f"{what}, by loading {base.__module__} again, and the old one's source is not "
                "known any more. Make the step again."
            )
        yield f"{what}, which runs the old one. To run the new one, make the step again."


def contents_of(cls: type) -> list[str]:
    """Tells one class from another of its name.

    Args:
        cls: The class.

    Returns:
        What its code and its plain attributes are; equal in all processes of one Python.
    """
    texts = [
        f"{name}={constant_text(value)}"
        for name, value in sorted(vars(cls).items())
        # The last is noted by copyreg when an object of the class is pickled.
        if name not in ("__doc__", "__firstlineno__", "__slotnames__")
    ]
    for function in functions_in(cls):
        code = function.__code__
        if function.__doc__ is not None:
            code = code.replace(co_consts=(None, *code.co_consts[1:]))
        defaults = map(constant_text, (function.__defaults__, function.__kwdefaults__))
        texts.append(f"{function.__qualname__}({[*defaults]}){instructions(code)}")
    return texts


def _edited(sources: Mapping[str, str]) -> Iterator[str]:
    """Says which modules have another text in their file than the one that was loaded."""
    for name, text in sorted(sources.items()):
        module, _, part = name.partition(":")
        file = project_file(module)
        is_value = ":" in part  # which no file tells
        if file is None or module not in sys.modules or is_value:
            continue
        try:
            now: str | None = without_step_options(read_source(file), name)
            if part:
                now = part_for(str(now), part.rstrip("'"), is_users_package).text
            differs = now is None or normal_digest(now) != normal_digest(text)
        except (OSError, SyntaxError, UnicodeDecodeError, StepDefinitionError):
            differs = True
        if differs:
            yield (
                f"The file of the module {module} was edited after the module was loaded: what "
                "runs, and is recorded, is the loaded code. To run the new one, restart Python, or "
                f"importlib.reload({module}) and make the step again."
            )


def _own_installed(cls: type) -> dict[str, str]:
    """The module of a step class that comes with an installed package: its own code counts."""
    module = sys.modules.get(cls.__module__)
    file = Path(str(getattr(module, "__file__", None) or ""))
    if file.suffix != ".py" or not {"site-packages", "dist-packages"} & set(file.parts):
        return {}
    return {cls.__module__: read_source(file)}


def _own_version(cls: type) -> str:
    return str(cls.__dict__.get("code_version", ""))
