"""The component specs of stock TFX, as data.

``tfx.types.standard_component_specs`` loads TensorFlow, TFMA and Beam. What a pipeline's IR needs
of it is names and types, so they are kept in one JSON file per line of TFX, written by::

    ./dev python -m zentfx.tfx_backend.specs.generate

A test holds the file against the installed TFX.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from zentfx.errors import MissingDependencyError, near_matches

__all__ = ["StockSpec", "stock_spec", "tfx_line"]


@dataclass(frozen=True)
class StockSpec:
    """The interface of one stock component.

    Attributes:
        name: The component's class name.
        base_type: MLMD base type of its executions (``Train``, …); empty where it has none.
        parameters: Name to (type, whether optional); protos are ``str``, as their JSON text.
        inputs: Name to (artifact type, whether optional).
        outputs: Name to (artifact type, whether optional).
        beam: Whether its executor takes Beam's arguments.
    """

    name: str
    base_type: str
    parameters: dict[str, tuple[str, bool]]
    inputs: dict[str, tuple[str, bool]]
    outputs: dict[str, tuple[str, bool]]
    beam: bool


def tfx_line() -> str:
    """The installed line of TFX, for example ``1.16``.

    Raises:
        MissingDependencyError: If TFX's orchestration half is not installed.
    """
    try:
        # Not by the package's metadata, which takes twenty times as long to read.
        from tfx import version
    except ImportError as error:
        raise MissingDependencyError(
            "ml-pipelines-sdk is not installed, though zentfx depends on it: pip install zentfx."
        ) from error
    return ".".join(version.__version__.split(".")[:2])


def stock_spec(name: str) -> StockSpec:
    """Looks up the spec of a stock component.

    Args:
        name: Its class name, for example ``Trainer``.

    Returns:
        The spec.

    Raises:
        MissingDependencyError: If the installed line of TFX is not one that zentfx knows.
    """
    return _line(tfx_line())[name]


@lru_cache
def _line(line: str) -> dict[str, StockSpec]:
    folder = files(__name__)
    known = sorted(
        item.name.removeprefix("tfx-").removesuffix(".json")
        for item in folder.iterdir()
        if item.name.endswith(".json")
    )
    if line not in known:
        raise MissingDependencyError(
            f"zentfx has no component specs for TFX {line}.{near_matches(line, known)}"
        )
    data = json.loads((folder / f"tfx-{line}.json").read_text(encoding="utf-8"))
    return {
        name: StockSpec(
            name=name,
            base_type=spec["base_type"],
            beam=spec["beam"],
            **{
                kind: {key: (type_name, optional) for key, (type_name, optional) in table.items()}
                for kind, table in spec.items()
                if isinstance(table, dict)
            },
        )
        for name, spec in data.items()
    }
