"""Light import of TFX's orchestration half: its compiler, launcher, cache and MLMD code.

TFX ships that half as a package of its own, ``ml-pipelines-sdk``. Where only that is installed,
every import of TensorFlow, Beam or ``tfx.components`` on its path fails, and TFX handles it: each
asker has an ``except ImportError`` of its own. Where full TFX is installed the same imports succeed
and cost seconds. :func:`light_imports` makes them fail for exactly those askers; what they went
without is given to them as soon as someone really imports it.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, ModuleType

__all__ = ["REFUSED", "light_imports"]

# Asker to what it is refused. A test holds this table against TFX's source.
REFUSED = {
    "tfx.utils.doc_controls": "tensorflow",
    "tfx.dsl.io.plugins.tensorflow_gfile": "tensorflow",
    "tfx.dsl.components.base.base_beam_executor": "apache_beam",
    "tfx.orchestration.portable.beam_executor_operator": "apache_beam",
    "tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy": "tfx.components",
    "tfx.dsl.input_resolution.strategies.span_range_strategy": "tfx.components",
}


def _give_tensorflow() -> None:
    # Reloading it registers TensorFlow's file systems with TFX's fileio.
    plugin = sys.modules.get("tfx.dsl.io.plugins.tensorflow_gfile")
    if plugin is not None:
        importlib.reload(plugin)


def _give_beam() -> None:
    beam = sys.modules["apache_beam"]
    for name in ("tfx.dsl.components.base.base_beam_executor",):
        module = sys.modules.get(name)
        if module is not None:
            module.beam, module._BeamPipeline = beam, beam.Pipeline  # type: ignore[attr-defined]


_GIVE: dict[str, Callable[[], None]] = {"tensorflow": _give_tensorflow, "apache_beam": _give_beam}


class _Refuse(importlib.abc.MetaPathFinder):
    """Fails the imports in ``REFUSED``, and those alone."""

    def __init__(self) -> None:
        self.refused: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Raises for a refused import; finds nothing else."""
        if fullname in _REFUSED_NAMES and REFUSED.get(_asker()) == fullname:
            self.refused.add(fullname)
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)
        return None


_REFUSED_NAMES = frozenset(REFUSED.values())


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
            yield
        finally:
            sys.meta_path.remove(finder)
            for name in finder.refused & _GIVE.keys():
                if name in sys.modules:
                    _GIVE[name]()
                else:
                    _give_later.wait_for(name)


def _is_initializing(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))
