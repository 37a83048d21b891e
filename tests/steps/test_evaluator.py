"""What the TFMA evaluator takes, refuses and blesses."""

import json

import pytest

from zentfx import EvaluatorStep, TFMAEvaluator
from zentfx.errors import ParameterError, ParameterTypeError
from zentfx.steps.keras_names import METRICS
from zentfx.steps.tfma_names import TFMA_METRICS


def test_it_blesses_where_there_are_thresholds():
    metrics = {"tips": ["mean_squared_error"]}
    assert not TFMAEvaluator(metrics).blesses
    assert not TFMAEvaluator(metrics, thresholds={}).blesses
    bounds = {"mean_squared_error": {"lower": 0, "upper": 1}}
    assert TFMAEvaluator(metrics, thresholds=bounds).blesses


def test_the_base_class_blesses_nothing():
    class Own(EvaluatorStep):
        def eval_config(self):
            return {}

    assert not Own().blesses


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": {}}, "'metrics' needs at least one metric of one label"),
        ({"metrics": {"tips": []}}, "'metrics' needs at least one metric"),
        (
            {"metrics": {"tips": ["mean_square_error"]}},
            "no metric that TFMA computes: 'mean_square_error'. Did you mean 'mean_squared_error'",
        ),
        (
            {"metrics": {"tips": ["mse"]}, "thresholds": {"mae": {"upper": 1.0}}},
            "'thresholds' bounds 'mae', which is not evaluated.*'mse'",
        ),
        ({"metrics": {"tips": ["mse"]}, "splits": []}, "'splits' needs at least one split"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(arguments, message):
    with pytest.raises(ParameterError, match=f"TFMAEvaluator: parameter .*{message}|{message}"):
        TFMAEvaluator(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"metrics": ["mse"]},
        {"metrics": {"tips": "mse"}},
        {"metrics": {"tips": ["mse"]}, "slices": ["company"]},
        {"metrics": {"tips": ["mse"]}, "thresholds": {"mse": 0.5}},
        {"metrics": {"tips": ["mse"]}, "splits": "eval"},
    ],
)
def test_arguments_of_the_wrong_type_are_refused(arguments):
    with pytest.raises(ParameterTypeError, match=f"parameter '{list(arguments)[-1]}'"):
        TFMAEvaluator(**arguments)


def test_several_labels_and_slices_are_taken():
    step = TFMAEvaluator(
        metrics={"tips": ["mse", "MeanAbsoluteError"], "late": ["AUC"]},
        slices=[["company"], ["company", "hour"], []],
        splits=["eval", "test"],
    )
    assert step.arguments["slices"] == [["company"], ["company", "hour"], []]


def test_every_metric_that_tfma_computes_is_taken():
    assert len(TFMA_METRICS) > 50
    step = TFMAEvaluator(metrics={"tips": sorted(TFMA_METRICS)})
    assert step.metrics["tips"] == sorted(TFMA_METRICS)


def test_metrics_are_called_as_keras_calls_them_but_for_the_number_of_rows():
    assert TFMA_METRICS.keys() - METRICS == {"example_count", "ExampleCount"}


def test_the_metrics_of_one_label_are_asked_for_with_their_bounds():
    step = TFMAEvaluator(
        metrics={"tips": ["mse", "mae"]},
        slices=[["company"], [], ["company", "hour"]],
        thresholds={"mse": {"lower": 0, "upper": 1}},
    )
    config = step.eval_config()
    [spec] = config["metrics_specs"]
    assert [item["class_name"] for item in spec["metrics"]] == [
        "MeanSquaredError",
        "MeanAbsoluteError",
    ]
    assert [json.loads(item["config"]) for item in spec["metrics"]] == [
        {"name": "mse"},
        {"name": "mae"},
    ]
    assert spec["metrics"][0]["threshold"] == {
        "value_threshold": {"lower_bound": 0.0, "upper_bound": 1.0}
    }
    assert "threshold" not in spec["metrics"][1]
    assert config["slicing_specs"] == [
        {},
        {"feature_keys": ["company"]},
        {"feature_keys": ["company", "hour"]},
    ]
    assert config["model_specs"][0]["label_key"] == "zentfx_label_tips"


def test_the_metrics_of_several_labels_are_asked_for_by_label():
    config = TFMAEvaluator(metrics={"tips": ["mse"], "late": ["auc"]}).eval_config()
    assert [spec["output_names"] for spec in config["metrics_specs"]] == [["late"], ["tips"]]
    [model] = config["model_specs"]
    assert model["label_keys"] == {"late": "zentfx_label_late", "tips": "zentfx_label_tips"}
    assert config["slicing_specs"] == [{}]
