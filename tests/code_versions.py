"""What the results of each shipped step depend on, and under which code version.

Run it to confirm a change of the code that leaves results as they are; raise the step's
``code_version`` first if it does not: ``./dev python tests/code_versions.py``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import zentfx
from zentfx.source_code.normal_form import normal_digest
from zentfx.steps.function import FunctionStep

FILE = Path(__file__).with_suffix(".json")

_BACKEND = ("zentfx.tfx_backend.families", "zentfx.tfx_backend.executors.base")
_EXECUTORS = "zentfx.tfx_backend.executors"
_RECORDS = ("zentfx.materializers.examples", f"{_EXECUTORS}.examples")
_NUMBERS = ("zentfx.materializers.cells", "zentfx.materializers.finite")
_CSV = tuple(f"zentfx.datasources.csv_{name}" for name in ("columns", "format", "lines", "reader"))
_VALIDATION = f"{_EXECUTORS}.validation"
_RAW = f"{_EXECUTORS}.raw_labels"
_KERAS = ("zentfx.steps.keras_training", "zentfx.steps.labels")
# Step to the modules, besides its own, that decide what it computes.
DEPENDS = {
    "CSVDatasource": (*_BACKEND, *_RECORDS, *_NUMBERS, *_CSV, f"{_EXECUTORS}.csv_file"),
    "StatisticsStep": (*_BACKEND, _VALIDATION),
    "SchemaStep": (*_BACKEND, _VALIDATION),
    "ValidationStep": (*_BACKEND, _VALIDATION),
    "RandomSplit": (*_BACKEND, *_RECORDS, f"{_EXECUTORS}.split"),
    "StandardPreprocessor": (*_BACKEND, f"{_EXECUTORS}.transform", _RAW, *_KERAS),
    "TrainerStep": (
        *_BACKEND,
        f"{_EXECUTORS}.trainer",
        *_KERAS,
        "zentfx.steps.training_log",
        "zentfx.steps.metric_log",
    ),
    "TFMAEvaluator": (
        *_BACKEND,
        *(
            f"{_EXECUTORS}.{name}"
            for name in ("evaluator", "evaluated_model", "evaluation", "finite_metric")
        ),
        _RAW,
        *_KERAS,
        "zentfx.steps.bounds",
        "zentfx.steps.tfma_names",
        "zentfx.analysis.direction",
    ),
    "Pusher": (*_BACKEND, f"{_EXECUTORS}.pusher"),
    "DataFrameDatasource": (
        *_BACKEND,
        "zentfx.materializers.examples",
        "zentfx.materializers.finite",
        f"{_EXECUTORS}.process",
    ),
    "FunctionStep": (
        *_BACKEND,
        f"{_EXECUTORS}.process",
        "zentfx.steps.type_checks",
        "zentfx.steps.outputs",
        *(
            f"zentfx.materializers.{name}"
            for name in ("values", "builtin", "pickled", "arrays", "tables", "estimators")
        ),
    ),
}


def current() -> dict[str, dict[str, str]]:
    """Code version and digest of each shipped step, as the code is now."""
    found = {}
    for name, modules in DEPENDS.items():
        step = FunctionStep if name == "FunctionStep" else getattr(zentfx, name)
        texts = [_text(module) for module in sorted({step.__module__, *modules})]
        digest = hashlib.sha256("\n".join(map(normal_digest, texts)).encode()).hexdigest()
        found[name] = {"code_version": step.code_version, "digest": digest}
    return found


def _text(module: str) -> str:
    return Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")


if __name__ == "__main__":
    FILE.write_text(json.dumps(current(), indent=1) + "\n", encoding="utf-8")
