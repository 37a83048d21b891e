"""Which way of a metric is better, as far as its name says."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["best", "is_lower_better"]

# By the words in a name, as Keras and scikit-learn form names of metrics. Lower first: "error" and
# "loss" turn what stands before them, as in "zero_one_loss" or "root_mean_squared_error".
_LOWER = frozenset(
    """
    bce crossentropy deviance distance divergence error errors false hinge kld loss mae mape mse
    msle negatives perplexity poisson positives rmse
    """.split()
)
_HIGHER = frozenset(
    """
    accuracy auc correlation coverage f1 kappa precision r2 recall score similarity true
    """.split()
)


def best(name: str, values: Sequence[Any]) -> frozenset[int]:
    """Finds the best values of a metric.

    Args:
        name: The metric's name.
        values: Its values; anything but a number where there is none.

    Returns:
        Their indexes; none where the name does not say which way is better, or there is nothing to
        choose from.
    """
    numbers = [value if isinstance(value, (int, float)) else None for value in values]
    known = [value for value in numbers if value is not None and not math.isnan(value)]
    lower = is_lower_better(name)
    if lower is None or len(set(known)) < 2:
        return frozenset()
    goal = min(known) if lower else max(known)
    return frozenset(index for index, value in enumerate(numbers) if value == goal)


def is_lower_better(name: str) -> bool | None:
    """Says which way of a metric is better.

    Args:
        name: The metric's name.

    Returns:
        Whether lower values are; None where the name does not say.
    """
    # What stands before the last dot are names of steps and labels.
    own = name.rpartition(".")[2]
    snake = re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", own)
    words = re.findall("[a-z]+[0-9]?", snake.lower())
    if words[:1] == ["neg"]:  # as scikit-learn calls an error that is turned round
        return False
    counted = {"negatives", "positives"} & set(words)
    if counted:  # of right answers, or of wrong ones
        return False if "true" in words else True if "false" in words else None
    if _LOWER & set(words):
        return True
    return False if _HIGHER & set(words) else None
