"""The materializer of Python's plain values and containers."""

from __future__ import annotations

import graphlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zentfx.errors import DataError
from zentfx.materializers.base import BaseMaterializer
from zentfx.materializers.builtin import BytesMaterializer
from zentfx.materializers.pickled import has_pickle, load_pickle, save_pickle, warn_of

__all__ = ["ValueMaterializer"]

_FILE = "value.json"
_PARTS = "parts"
_PLAIN = (str, int, bool, type(None))
_SEQUENCES = {"tuple": tuple, "set": set, "frozenset": frozenset}
# Marks what JSON does not have. A dict of the user's with this key is written as pairs.
_TAG = "$"
# So many containers in each other are written in place: JSON's parser needs Python's stack.
_DEEPEST = 50


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
        text = json.dumps(encoder.whole(value), allow_nan=False)
        (folder / _FILE).write_text(text, encoding="ascii")
        if encoder.pickled:
            save_pickle(encoder.pickled, folder)
            for kind in encoder.unknown:
                warn_of(kind)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        file = folder / _FILE
        if not file.exists():
            return load_pickle(folder)
        pickled = load_pickle(folder) if has_pickle(folder) else []
        data = json.loads(file.read_text(encoding="ascii"))
        return _Decoder(folder, pickled).whole(data)


class _Encoder:
    """Makes JSON data of a value, and files of those parts that it is too little for.

    Containers that lie deep are written beside the others, and where they lie stands their number.

    Attributes:
        pickled: Values without a file format, for one file with all of them.
        unknown: The types of those for which no materializer is known.
    """

    def __init__(self, folder: Path) -> None:
        self.pickled: list[Any] = []
        self.unknown: dict[type, None] = {}
        self._folder = folder
        self._parts = 0
        self._above: set[int] = set()
        self._deep: list[Any] = []
        self._numbers: dict[int, int] = {}  # of those, by their ids
        self._mentioned: set[int] = set()

    def whole(self, value: Any) -> Any:
        """The JSON data of a value."""
        data = self._encode(value)
        items: list[Any] = []
        needs: dict[int, set[int]] = {}
        for number, container in enumerate(self._deep):  # which grows meanwhile
            self._mentioned = needs[number] = set()
            items.append(self._encode(container))
        if not items:
            return data
        try:
            order = list(graphlib.TopologicalSorter(needs).static_order())
        except graphlib.CycleError as error:
            raise _holds_itself(type(value)) from error
        return {_TAG: "deep", "items": items, "order": order, "value": data}

    def _encode(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is float:
            return value if math.isfinite(value) else {_TAG: "float", "text": repr(value)}
        if kind not in (list, tuple, dict, set, frozenset):
            return self._part(value)
        if id(value) in self._above:
            raise _holds_itself(kind)
        if len(self._above) == _DEEPEST:
            return {_TAG: "deeper", "number": self._number_of(value)}
        self._above.add(id(value))
        try:
            return self._container(value, kind)
        finally:
            self._above.discard(id(value))

    def _number_of(self, value: Any) -> int:
        number = self._numbers.setdefault(id(value), len(self._deep))
        if number == len(self._deep):
            self._deep.append(value)
        self._mentioned.add(number)
        return number

    def _container(self, value: Any, kind: type) -> Any:
        if kind is list:
            return [self._encode(item) for item in value]
        if kind is not dict:
            return {_TAG: kind.__name__, "items": [self._encode(item) for item in value]}
        if all(type(key) is str for key in value) and _TAG not in value:
            return {key: self._encode(item) for key, item in value.items()}
        pairs = [[self._encode(key), self._encode(item)] for key, item in value.items()]
        return {_TAG: "dict", "items": pairs}

    def _part(self, value: Any) -> Any:
        from zentfx.materializers.values import materializer_for, save

        found = materializer_for(type(value))
        if found is None:
            self.unknown[type(value)] = None
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


def _holds_itself(kind: type) -> DataError:
    return DataError(f"A {kind.__name__} that holds itself cannot be saved.")


class _Decoder:
    """Makes the value of what the encoder made."""

    def __init__(self, folder: Path, pickled: Sequence[Any]) -> None:
        self._folder = folder
        self._pickled = pickled
        self._deep: dict[int, Any] = {}

    def whole(self, data: Any) -> Any:
        """The value of JSON data."""
        if isinstance(data, dict) and data.get(_TAG) == "deep":
            for number in data["order"]:  # each after those that it holds
                self._deep[number] = self._decode(data["items"][number])
            data = data["value"]
        return self._decode(data)

    def _decode(self, data: Any) -> Any:
        if isinstance(data, list):
            return [self._decode(item) for item in data]
        if not isinstance(data, dict):
            return data
        kind = data.get(_TAG)
        if kind is None:
            return {key: self._decode(item) for key, item in data.items()}
        if kind == "float":
            return float(data["text"])
        if kind == "dict":
            return {self._decode(key): self._decode(item) for key, item in data["items"]}
        if kind == "deeper":
            return self._deep[data["number"]]
        if kind == "pickled":
            return self._pickled[data["number"]]
        if kind == "part":
            from zentfx.materializers.values import load

            return load(self._folder / _PARTS / str(data["number"]), data["by"], data["type"])
        return _SEQUENCES[kind](self._decode(item) for item in data["items"])
