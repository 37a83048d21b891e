"""What a Keras trainer records of its epochs: of those that end with the model that is kept."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from zentfx.running_step import remark
from zentfx.steps.metric_log import keep_values, log_metric

__all__ = ["TrainingLog"]

_log = logging.getLogger(__name__)


class TrainingLog:
    """The epochs of one training.

    Callbacks may stop it early, and put back the weights of an earlier epoch, or put in others.
    What counts as the trainer's result is what was measured with the weights that it ends with.

    Args:
        model: The ``keras.Model``.
        epochs: How many epochs it is to be trained.
        on_nan: Called with a sentence, each time that an epoch ends with a loss that is not finite.
    """

    def __init__(self, model: Any, epochs: int, on_nan: Callable[[str], None]) -> None:
        self._model = model
        self._epochs = epochs
        self._on_nan = on_nan
        self._measured: list[tuple[str, dict[str, float]]] = []

    def epoch_ended(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Records what an epoch measured; a Keras callback, to be called before others.

        Args:
            epoch: The epoch, from 0.
            logs: Loss and metrics by name: numbers, or arrays with a number a class.

        Raises:
            TrainingError: If the loss is not finite and ``on_nan`` refuses that.
        """
        values = _numbers(logs)
        shown = ", ".join(f"{name} {value:.6g}" for name, value in values.items())
        _log.info("epoch %d: %s", epoch + 1, shown)
        for name, value in values.items():
            log_metric(name, value, step=epoch + 1)
        self._measured.append((_digest(self._model), values))
        loss, validation = values.get("loss", 0.0), values.get("val_loss", 0.0)
        if not math.isfinite(loss):
            self._on_nan(f"the loss is {loss} after epoch {epoch + 1} of {self._epochs}")
        elif not math.isfinite(validation):
            remark(
                f"The loss on the split 'eval' is {validation} after epoch {epoch + 1}: some of "
                "its rows have values, or get predictions, that are not finite or very large."
            )

    def settle(self, evaluate: Callable[[], Mapping[str, Any]]) -> None:
        """Makes what was measured of the model as it is now the trainer's overall values.

        Args:
            evaluate: Measures the model; called if it is not the one that any epoch ended with.
        """
        now = _digest(self._model)
        if not self._measured or self._measured[-1][0] == now:
            return
        trained = len(self._measured)
        for number in range(trained, 0, -1):
            weights, values = self._measured[number - 1]
            if weights == now:
                remark(f"The model is that of epoch {number}; {trained} were trained.")
                keep_values(values)
                return
        remark("The model has other weights than any epoch ended with; it was measured anew.")
        keep_values(_numbers(evaluate()))


def _numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    import numpy as np

    values = {}
    for name, value in logs.items():
        # Some metrics have a value for each class, F1 for one.
        parts = np.atleast_1d(np.asarray(value, dtype=float)).ravel()
        for index, part in enumerate(parts):
            values[name if len(parts) == 1 else f"{name}_{index}"] = float(part)
    return values


def _digest(model: Any) -> str:
    """Tells weights apart; without optimizers, metrics and seeds, which predict nothing."""
    import keras

    digest = hashlib.blake2b()
    for variable in model.weights:
        digest.update(keras.ops.convert_to_numpy(variable).tobytes())
    return digest.hexdigest()
