"""Light imports: TFX's orchestration half (compiler, launcher, cache) and ML Metadata, no more.

TFX ships that half as a package of its own, ``ml-pipelines-sdk``. Where only that is installed,
every import of TensorFlow, Beam or ``tfx.components`` on its path fails, and TFX handles it: each
asker has an ``except ImportError`` of its own. Where full TFX is installed the same imports succeed
and cost seconds. :func:`light_imports` makes them fail for exactly those askers. Two more take a
package that they have no use for while a pipeline runs here: they get a stand-in for it. What an
asker went without is given to it as soon as someone really imports it.

Standard library only.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, ModuleType
from typing import Any

__all__ = ["NEVER", "POSTPONED", "REFUSED", "light_imports", "uncollected"]

# Asker to what it is refused. A test holds this table against TFX's source.
REFUSED = {
    "tfx.utils.doc_controls": "tensorflow",
    "tfx.dsl.io.plugins.tensorflow_gfile": "tensorflow",
    "tfx.dsl.components.base.base_beam_executor": "apache_beam",
    "tfx.orchestration.portable.beam_executor_operator": "apache_beam",
    "tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy": "tfx.components",
    "tfx.dsl.input_resolution.strategies.span_range_strategy": "tfx.components",
}

# Asker to the package that it gets a stand-in for, each a twentieth of a second or more. TFX makes
# a subclass of googleapiclient's ``http.HttpRequest`` for calls of Google's cloud, and asks Docker
# for something where a node is a container; MLMD calls gRPC where the store is behind a server.
POSTPONED = {
    "tfx.utils.telemetry_utils": "googleapiclient",
    "tfx.orchestration.portable.docker_executor_operator": "docker",
    "ml_metadata.metadata_store.metadata_store": "grpc",
    "ml_metadata.proto.metadata_store_service_pb2_grpc": "grpc",
}

# Asker to what it never finds. Whenever an artifact is made, TFX imports setuptools (a tenth of a
# second) as a sign that all of TFX is there; without that sign it goes on.
NEVER = {"tfx.types.standard_artifacts": "setuptools"}


class _StandIn(ModuleType):
    """Has what is needed at import; for anything else, it imports the package."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{self.__name__} has no {name}")
        if self.__name__ == "googleapiclient" and name == "http":
            return _StandIn("googleapiclient.http")
        if self.__name__ == "googleapiclient.http" and name == "HttpRequest":
            return type(name, (), {})
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class _StandInLoader(importlib.abc.Loader):
    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""


def _give_googleapiclient() -> None:
    asker: Any = sys.modules.get("tfx.utils.telemetry_utils")
    if asker is not None:
        asker.http = importlib.import_module("googleapiclient.http")
        asker.TFXHttpRequest.__bases__ = (asker.http.HttpRequest,)


def _give_tensorflow() -> None:
    # Reloading it registers TensorFlow's file systems with TFX's fileio.
    plugin = sys.modules.get("tfx.dsl.io.plugins.tensorflow_gfile")
    if plugin is not None:
        importlib.reload(plugin)


def _give_beam() -> None:
    beam = sys.modules["apache_beam"]
    asker: Any = sys.modules.get("tfx.dsl.components.base.base_beam_executor")
    if asker is not None:
        asker.beam, asker._BeamPipeline = beam, beam.Pipeline


# The stand-ins for Docker and gRPC import them by themselves.
_GIVE: dict[str, Callable[[], None]] = {
    "tensorflow": _give_tensorflow,
    "apache_beam": _give_beam,
    "googleapiclient": _give_googleapiclient,
}


class _Refuse(importlib.abc.MetaPathFinder):
    """Fails the imports in ``REFUSED`` and makes stand-ins for those in ``POSTPONED``, no others.

    Attributes:
        refused: What an asker went without.
    """

    def __init__(self) -> None:
        self.refused: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Raises for a refused import, finds stand-ins, and nothing else."""
        if fullname in _NAMES:
            asker = _asker()
            if REFUSED.get(asker) == fullname:
                self.refused.add(fullname)
                raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)
            if POSTPONED.get(asker) == fullname:
                self.refused.add(fullname)
                return importlib.machinery.ModuleSpec(fullname, _StandInLoader())
        return None


class _NeverFind(importlib.abc.MetaPathFinder):
    """Fails the imports in ``NEVER``, and those alone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Raises for such an import; finds nothing else."""
        if fullname in NEVER.values() and NEVER.get(_asker()) == fullname:
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)


sys.meta_path.insert(0, _NeverFind())

_NAMES = frozenset({*REFUSED.values(), *POSTPONED.values()})


def _asker() -> str:
    """Name of the module whose import statement is being carried out."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("importlib"):
        frame = frame.f_back
    return "" if frame is None else frame.f_globals.get("__name__", "")


class _GiveLater(importlib.abc.MetaPathFinder):
    """Waits for someone to import what was refused, and then lets TFX have it too."""

    def __init__(self) -> None:
        self._waiting: set[str] = set()

    def wait_for(self, name: str) -> None:
        """Watches for one package."""
        self._waiting.add(name)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Finds a watched package where it really is, and notes when it has been loaded."""
        if fullname not in self._waiting:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            self._waiting.discard(fullname)
            _GIVE[fullname]()
            if not self._waiting and self in sys.meta_path:
                sys.meta_path.remove(self)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


_give_later = _GiveLater()
_lock = threading.RLock()


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Within it, Python does not look for garbage.

    What modules define stays, and looking through it is a tenth of the time of an import; the same
    goes for records that are read by the thousand.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextlib.contextmanager
def light_imports() -> Iterator[None]:
    """Within it, TFX's orchestration modules are imported without TensorFlow, Beam and components.

    Nothing is left in ``sys.modules`` that would not be there otherwise.
    """
    with _lock:
        # Another thread that is importing TensorFlow holds import locks that we would wait for,
        # while it waits for ours.
        while _is_initializing("tensorflow"):
            time.sleep(0.01)
        finder = _Refuse()
        sys.meta_path.insert(0, finder)
        try:
            with uncollected():
                yield
        finally:
            sys.meta_path.remove(finder)
            for name in POSTPONED.values():
                if isinstance(sys.modules.get(name), _StandIn):
                    del sys.modules[name]
            for name in finder.refused & _GIVE.keys():
                if name in sys.modules:
                    _GIVE[name]()
                else:
                    _give_later.wait_for(name)


def _is_initializing(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))
