"""Materializers of Python's own types."""

from __future__ import annotations

import atexit
import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from zentfx.errors import DataError, DataNotFoundError
from zentfx.materializers.base import BaseMaterializer
from zentfx.materializers.pickled import has_pickle, load_pickle, save_pickle, warn_of

__all__ = [
    "BytesMaterializer",
    "FilesMaterializer",
    "PathMaterializer",
    "ValueMaterializer",
    "copied",
    "copy_of",
]

_FILE = "value.json"
_PARTS = "parts"
_PLAIN = (str, int, bool, type(None))
_SEQUENCES = {"tuple": tuple, "set": set, "frozenset": frozenset}
# Marks what JSON does not have. A dict of the user's with this key is written as pairs.
_TAG = "$"


class ValueMaterializer(BaseMaterializer):
    """Numbers, texts, None, and lists, tuples, dicts and sets: a JSON file that gives them exactly.

    Other values inside a container are saved by their own materializers, beside that file. Values
    of subclasses, an enum say, are pickled.
    """

    handles = (int, float, str, bool, type(None), list, tuple, dict, set, frozenset, complex)

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        if type(value) not in self.handles or isinstance(value, complex):
            save_pickle(value, folder)
            return
        encoder = _Encoder(folder)
        text = json.dumps(encoder.encode(value), allow_nan=False)
        (folder / _FILE).write_text(text, encoding="ascii")
        if encoder.pickled:
            save_pickle(encoder.pickled, folder)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        file = folder / _FILE
        if not file.exists():
            return load_pickle(folder)
        pickled = load_pickle(folder) if has_pickle(folder) else []
        return _decoded(json.loads(file.read_text(encoding="ascii")), folder, pickled)


class _Encoder:
    """Makes JSON data of a value, and files of those parts that it is too little for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._above: set[int] = set()
        self._parts = 0
        self.pickled: list[Any] = []  # values without a file format, all in one file

    def encode(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is float:
            return value if math.isfinite(value) else {_TAG: "float", "text": repr(value)}
        if kind not in (list, tuple, dict, set, frozenset):
            return self._part(value)
        if id(value) in self._above:
            raise DataError(f"A {kind.__name__} that holds itself cannot be saved.")
        self._above.add(id(value))
        try:
            return self._container(value, kind)
        finally:
            self._above.discard(id(value))

    def _container(self, value: Any, kind: type) -> Any:
        if kind is list:
            return [self.encode(item) for item in value]
        if kind is not dict:
            return {_TAG: kind.__name__, "items": [self.encode(item) for item in value]}
        if all(type(key) is str for key in value) and _TAG not in value:
            return {key: self.encode(item) for key, item in value.items()}
        pairs = [[self.encode(key), self.encode(item)] for key, item in value.items()]
        return {_TAG: "dict", "items": pairs}

    def _part(self, value: Any) -> Any:
        from zentfx.materializers.values import materializer_for, save

        found = materializer_for(type(value))
        if found is None:
            warn_of(type(value))
        # Each of the others has files of its own; scalars of NumPy, and dates, come by thousands.
        scalar = hasattr(value, "dtype") and getattr(value, "shape", None) == ()
        if scalar or found in (None, ValueMaterializer, BytesMaterializer):
            self.pickled.append(value)
            return {_TAG: "pickled", "number": len(self.pickled) - 1}
        number = self._parts
        self._parts += 1
        folder = self._folder / _PARTS / str(number)
        folder.mkdir(parents=True)
        saved = save(value, None, folder)
        return {_TAG: "part", "number": number, "by": saved.materializer, "type": saved.python_type}


def _decoded(data: Any, folder: Path, pickled: Sequence[Any]) -> Any:
    if isinstance(data, list):
        return [_decoded(item, folder, pickled) for item in data]
    if not isinstance(data, dict):
        return data
    kind = data.get(_TAG)
    if kind is None:
        return {key: _decoded(item, folder, pickled) for key, item in data.items()}
    if kind == "float":
        return float(data["text"])
    if kind == "dict":
        return {
            _decoded(key, folder, pickled): _decoded(item, folder, pickled)
            for key, item in data["items"]
        }
    if kind == "pickled":
        return pickled[data["number"]]
    if kind == "part":
        from zentfx.materializers.values import load

        return load(folder / _PARTS / str(data["number"]), data["by"], data["type"])
    return _SEQUENCES[kind](_decoded(item, folder, pickled) for item in data["items"])


class BytesMaterializer(BaseMaterializer):
    """Bytes: a file of them."""

    handles = (bytes, bytearray)

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        (folder / "data.bin").write_bytes(value)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        data = (folder / "data.bin").read_bytes()
        return bytearray(data) if type is bytearray else data


class PathMaterializer(BaseMaterializer):
    """A file or folder, by copy; loads as the path of another copy, in a temporary place."""

    handles = (Path,)

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        if not value.exists():
            raise DataNotFoundError(f"A step returned a path to nothing: {value}.")
        # The name tells people what it is; of a path such as ".." there is none.
        place = folder / "content" / (value.resolve().name or "files")
        place.parent.mkdir()
        copy_of(value, place)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        [item] = (folder / "content").iterdir()
        return copied(item)


class FilesMaterializer(BaseMaterializer):
    """A file or folder that was registered where it is; loads as the path of a copy."""

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        return copied(folder)


def copied(item: Path) -> Path:
    """Copies a file or folder to a temporary place, which goes when the process ends.

    Args:
        item: The file or folder.

    Returns:
        The copy; it has the same name.
    """
    place = Path(tempfile.mkdtemp(dir=_temporary())) / item.name
    copy_of(item, place)
    return place


def copy_of(item: Path, place: Path) -> None:
    """Copies a file or a folder.

    Args:
        item: What to copy.
        place: What the copy is called.
    """
    if item.is_dir():
        shutil.copytree(item, place)
    else:
        shutil.copy2(item, place)


@cache
def _temporary() -> str:
    folder = tempfile.mkdtemp(prefix="zentfx-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
