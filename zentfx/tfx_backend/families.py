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

from zentfx.datasources.base import Datasource
from zentfx.errors import StepDefinitionError, near_matches
from zentfx.steps.base import BaseStep
from zentfx.steps.evaluator import EvaluatorStep, TFMAEvaluator
from zentfx.steps.keras_training import LABELS_SIGNATURE, PRESENT
from zentfx.steps.pusher import Pusher
from zentfx.steps.schema import SchemaStep
from zentfx.steps.statistics import StatisticsStep

__all__ = ["Family", "family_of"]

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


def _csv(step: Datasource) -> dict[str, Any]:
    path = getattr(step, "path")  # noqa: B009 - a subclass may be no CSVDatasource
    folder, pattern = (path, "*.csv") if path.is_dir() else (path.parent, path.name)
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
        **({"stats_options_json": _sampling(step)} if step.sample_rate < 1 else {}),
    }


def _sampling(step: StatisticsStep) -> str:
    # What tensorflow_data_validation's StatsOptions.to_json gives for StatsOptions(sample_rate=…),
    # less what equals its defaults.
    return json.dumps({"_sample_rate": step.sample_rate})


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
    if not isinstance(step, TFMAEvaluator):
        return {"fairness_indicator_thresholds": "null", "example_splits": "null"}
    return {
        "eval_config": _proto_json(eval_config(step)),
        "fairness_indicator_thresholds": "null",
        "example_splits": json.dumps(step.splits),
    }


def eval_config(step: TFMAEvaluator) -> dict[str, Any]:
    """TFMA's ``EvalConfig`` for an evaluator, as JSON data.

    Args:
        step: The evaluator.

    Returns:
        The config. The model is asked for predictions and for labels by signature, so that both
        are on the same scale; slices are by raw columns.
    """
    several = len(step.metrics) > 1
    specs = []
    for label, metrics in sorted(step.metrics.items()):
        entries = []
        for metric in metrics:
            entry: dict[str, Any] = {"class_name": _metric_class(metric)}
            entry["config"] = json.dumps({"name": metric})
            bounds = (step.thresholds or {}).get(metric)
            if bounds:
                names = {"lower": "lower_bound", "upper": "upper_bound"}
                entry["threshold"] = {
                    "value_threshold": {names[side]: value for side, value in bounds.items()}
                }
            entries.append(entry)
        specs.append({"metrics": entries, **({"output_names": [label]} if several else {})})
    labels = sorted(step.metrics)
    # Rows without a label get the weight 0: TFMA would count them as predicted without error.
    weights = {name: f"{name}{PRESENT}" for name in labels}
    model: dict[str, Any] = {
        "signature_name": "serving_default",
        "model_type": "tf_generic",
        "preprocessing_function_names": [LABELS_SIGNATURE],
    }
    if several:
        model |= {"label_keys": {name: name for name in labels}, "example_weight_keys": weights}
    else:
        model |= {"label_key": labels[0], "example_weight_key": weights[labels[0]]}
    slices = [{}, *({"feature_keys": columns} for columns in step.slices or [] if columns)]
    return {"model_specs": [model], "slicing_specs": slices, "metrics_specs": specs}


def _metric_class(name: str) -> str:
    """Keras's class name of a metric: TFMA knows no aliases."""
    special = {
        "mse": "MeanSquaredError",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "msle": "MeanSquaredLogarithmicError",
        "bce": "BinaryCrossentropy",
        "kl_divergence": "KLDivergence",
        "auc": "AUC",
        "f1_score": "F1Score",
        "f_beta_score": "FBetaScore",
        "r2_score": "R2Score",
    }
    for alias in (name, name.lower()):
        if alias in special:
            return special[alias]
    return name if name[0].isupper() else "".join(part.capitalize() for part in name.split("_"))


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
        unkeyed=frozenset({"push_destination"}),
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
