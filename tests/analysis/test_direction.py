"""Which value of a metric is the best."""

import math

import pytest

from zentfx.analysis.direction import best
from zentfx.steps.tfma_names import TFMA_METRICS


@pytest.mark.parametrize(
    "name",
    """
    metrics.evaluator.mean_squared_error val_loss metrics.e.tips.mse false_positives zero_one_loss
    MeanAbsoluteError log_cosh_error kl_divergence KLDivergence rmse FalseNegatives
    """.split(),
)
def test_of_errors_the_lowest_is_the_best(name):
    assert best(name, [3.0, 1.0, 2.0]) == {1}


@pytest.mark.parametrize(
    "name",
    """
    accuracy metrics.evaluator.auc val_binary_accuracy f1_score Precision r2_score true_positives
    TrueNegatives recall AUC neg_mean_squared_error metrics.error_analysis.accuracy
    metrics.evaluator.trip_distance.auc
    """.split(),
)
def test_of_scores_the_highest_is_the_best(name):
    assert best(name, [3.0, 1.0, 4.0]) == {2}


@pytest.mark.parametrize(
    "name", ["example_count", "metrics.recall_check.rows", "q", "positives", "metrics"]
)
def test_a_name_that_does_not_say_has_none(name):
    assert best(name, [1.0, 2.0]) == frozenset()


def test_ties_are_all_best_and_without_a_choice_there_is_none():
    assert best("mse", [1.0, 2.0, 1.0, None, math.nan]) == {0, 2}
    assert best("mse", [1.0, 1.0]) == frozenset()
    assert best("mse", [1.0, None, math.nan]) == frozenset()
    assert best("mse", []) == frozenset()


def test_infinite_values_can_be_worst_and_best():
    assert best("mse", [math.inf, 1.0]) == {1}
    assert best("accuracy", [math.inf, 1.0]) == {0}


def test_every_metric_of_the_evaluator_but_counts_has_a_direction():
    silent = {name for name in TFMA_METRICS if not best(name, [1.0, 2.0])}
    assert silent == {"example_count", "ExampleCount"}
