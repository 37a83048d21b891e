"""What the TFMA evaluator takes, refuses and blesses."""

import pytest

from zentfx import EvaluatorStep, TFMAEvaluator
from zentfx.errors import ParameterError, ParameterTypeError


def test_it_blesses_where_there_are_thresholds():
    metrics = {"tips": ["mean_squared_error"]}
    assert not TFMAEvaluator(metrics).blesses
    assert not TFMAEvaluator(metrics, thresholds={}).blesses
    bounds = {"mean_squared_error": {"lower": 0, "upper": 1}}
    assert TFMAEvaluator(metrics, thresholds=bounds).blesses


def test_the_base_class_blesses_nothing():
    class Own(EvaluatorStep):
        pass

    assert not Own().blesses


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": {}}, "'metrics' needs at least one metric of one label"),
        ({"metrics": {"tips": []}}, "'metrics' needs at least one metric"),
        (
            {"metrics": {"tips": ["mean_square_error"]}},
            "no Keras metric: 'mean_square_error'. Did you mean 'mean_squared_error'",
        ),
        (
            {"metrics": {"tips": ["mse"]}, "thresholds": {"mae": {"upper": 1.0}}},
            "'thresholds' bounds 'mae', which is not evaluated.*'mse'",
        ),
        (
            {"metrics": {"tips": ["mse"]}, "thresholds": {"mse": {"max": 1.0}}},
            "'thresholds' for 'mse' takes 'lower' and 'upper'; {'max': 1.0} came",
        ),
        (
            {"metrics": {"tips": ["mse"]}, "thresholds": {"mse": {}}},
            "'thresholds' for 'mse' takes 'lower' and 'upper'; {} came",
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
        metrics={"tips": ["mse", "MAE"], "late": ["AUC"]},
        slices=[["company"], ["company", "hour"], []],
        splits=["eval", "test"],
    )
    assert step.arguments["slices"] == [["company"], ["company", "hour"], []]
