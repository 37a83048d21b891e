"""What each wrapped component adds to a step: TFX's own parameters, and the executor.

A step names the stock component that it wraps; everything that TFX wants to know about it, besides
the step's own parameters, is here. Values are written as the stock constructors write them (protos
as JSON text); a test compares each node with the stock component's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zentfx.datasources.csv_file import CSVDatasource
from zentfx.datasources.csv_format import pattern_of
from zentfx.errors import StepDefinitionError, near_matches
from zentfx.materializers import NEED_TENSORFLOW
from zentfx.steps.base import BaseStep
from zentfx.steps.evaluator import EvaluatorStep
from zentfx.steps.node import Node
from zentfx.steps.pusher import Pusher
from zentfx.steps.schema import SchemaStep
from zentfx.steps.statistics import StatisticsStep

__all__ = ["Family", "family_of", "is_own", "is_plain"]

_EXECUTORS = "zentfx.tfx_backend.executors"


@dataclass(frozen=True)
class Family:
    """How steps that wrap one component become TFX nodes.

    Attributes:
        executor: Class path of the executor.
        beam: Whether it takes Beam's arguments.
        stock: Name of the stock component; empty where the component is zentfx's own.
        base_type: MLMD base type of the executions of a component that is zentfx's own.
        properties: Gives the stock component's parameters for a step.
        unkeyed: Those of them that are not part of the cache key.
    """

    executor: str
    beam: bool
    stock: str = ""
    base_type: str = ""
    properties: Callable[[Any], Mapping[str, Any]] = lambda step: {}
    unkeyed: frozenset[str] = frozenset()


def _proto_json(value: Mapping[str, Any]) -> str:
    """A proto's JSON text in the form that TFX gives it."""
    return json.dumps(value, sort_keys=True, indent=2)


def _csv(step: CSVDatasource) -> dict[str, Any]:
    folder, pattern = pattern_of(step.path)
    return {
        "input_base": str(folder),
        "input_config": _proto_json({"splits": [{"name": "all", "pattern": pattern}]}),
        "output_config": _proto_json(
            {"split_config": {"splits": [{"hash_buckets": 1, "name": "all"}]}}
        ),
        "output_data_format": 6,  # example_gen_pb2.FORMAT_TF_EXAMPLE
        "output_file_format": 5,  # example_gen_pb2.FORMAT_TFRECORDS_GZIP
    }


def _statistics(step: StatisticsStep) -> dict[str, Any]:
    return {
        "exclude_splits": "[]",
        "sharded_stats_output": False,
    }


def _schema(step: SchemaStep) -> dict[str, Any]:
    return {"infer_feature_shape": int(step.fixed_shapes), "exclude_splits": "[]"}


def _transform(step: BaseStep) -> dict[str, Any]:
    # Statistics before and after are StatisticsGen's job in this pipeline; here they would double
    # the step's cost. The executor takes the function from the step; its name here is for readers.
    return {
        "force_tf_compat_v1": 0,
        "custom_config": "null",
        "disable_statistics": 1,
    }


def _trainer(step: BaseStep) -> dict[str, Any]:
    return {"train_args": "{}", "eval_args": "{}", "custom_config": "null"}


def _evaluator(step: EvaluatorStep) -> dict[str, Any]:
    return {
        "eval_config": _proto_json(step.eval_config()),
        "fairness_indicator_thresholds": "null",
        "example_splits": json.dumps(step.splits),
    }


def _pusher(step: Pusher) -> dict[str, Any]:
    folder = str(Path(step.folder).expanduser().absolute())
    return {
        "push_destination": _proto_json({"filesystem": {"base_directory": folder}}),
        "custom_config": "null",
    }


_FAMILIES = {
    "": Family(f"{_EXECUTORS}.process.ProcessExecutor", beam=False, base_type="Process"),
    "zentfx.Split": Family(f"{_EXECUTORS}.split.SplitExecutor", beam=True, base_type="Process"),
    "CsvExampleGen": Family(
        f"{_EXECUTORS}.csv_file.CsvExecutor",
        beam=True,
        stock="CsvExampleGen",
        properties=_csv,
        unkeyed=frozenset({"input_base", "input_config"}),
    ),
    "StatisticsGen": Family(
        f"{_EXECUTORS}.validation.StatisticsExecutor",
        beam=True,
        stock="StatisticsGen",
        properties=_statistics,
    ),
    "SchemaGen": Family(
        f"{_EXECUTORS}.validation.SchemaExecutor",
        beam=False,
        stock="SchemaGen",
        properties=_schema,
    ),
    "ExampleValidator": Family(
        f"{_EXECUTORS}.validation.ValidationExecutor",
        beam=False,
        stock="ExampleValidator",
        properties=lambda step: {"exclude_splits": "[]"},
    ),
    "Transform": Family(
        f"{_EXECUTORS}.transform.TransformExecutor",
        beam=True,
        stock="Transform",
        properties=_transform,
    ),
    "Trainer": Family(
        f"{_EXECUTORS}.trainer.TrainerExecutor",
        beam=False,
        stock="Trainer",
        properties=_trainer,
    ),
    "Evaluator": Family(
        f"{_EXECUTORS}.evaluator.EvaluatorExecutor",
        beam=True,
        stock="Evaluator",
        properties=_evaluator,
    ),
    "Pusher": Family(
        f"{_EXECUTORS}.pusher.PusherExecutor",
        beam=False,
        stock="Pusher",
        properties=_pusher,
    ),
}


def family_of(step: BaseStep) -> Family:
    """Finds how a step becomes a TFX node.

    Args:
        step: The step.

    Returns:
        Its family.

    Raises:
        StepDefinitionError: If the step wraps a component that zentfx does not know.
    """
    try:
        return _FAMILIES[step.wraps]
    except KeyError:
        raise StepDefinitionError(
            f"{type(step).__name__} wraps {step.wraps!r}, which is no component that zentfx knows."
            f"{near_matches(step.wraps, _FAMILIES)} To bring a component of your own, override "
            "build_component."
        ) from None


def is_own(step: BaseStep) -> bool:
    """Says whether a step does its work in ``process``, so that nobody needs TFX's Launcher.

    Args:
        step: The step.

    Returns:
        Whether it does.
    """
    return type(step).build_component is BaseStep.build_component and not step.wraps


def is_plain(node: Node) -> bool:
    """Says whether a step is plain Python: a ``process``, and nothing that needs TensorFlow.

    Args:
        node: The step in its place.

    Returns:
        Whether it runs in the parent process.
    """
    types = {*node.step.inputs.values(), *node.step.outputs.values(), *node.input_types.values()}
    return is_own(node.step) and NEED_TENSORFLOW.isdisjoint(types)
