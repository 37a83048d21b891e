"""A metric of TFMA's that counts rows whose predictions are not finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types

__all__ = ["NOT_FINITE", "NotFinite"]

NOT_FINITE = "zentfx_not_finite"


class NotFinite(metric_types.Metric):
    """Counts rows with a prediction that is NaN or infinite, those without a label too.

    Args:
        name: The metric's name.
    """

    def __init__(self, name: str = NOT_FINITE) -> None:
        super().__init__(_computations, name=name)

    @property
    def compute_confidence_interval(self) -> bool:
        """Never: it is a count."""
        return False


metric_types.register_metric(NotFinite)


def _computations(
    name: str = NOT_FINITE,
    model_names: list[str] | None = None,
    output_names: list[str] | None = None,
    example_weighted: bool = False,
) -> list[Any]:
    """One computation a model and output, as TFMA asks for them."""
    computations = []
    for model in model_names or [""]:
        for output in output_names or [""]:
            key = metric_types.MetricKey(
                name=name,
                model_name=model,
                output_name=output,
                example_weighted=example_weighted,
            )
            computations.append(
                metric_types.MetricComputation(
                    keys=[key],
                    preprocessors=None,
                    combiner=_Counter(model, output, key),
                )
            )
    return computations


class _Counter(beam.CombineFn):
    def __init__(self, model: str, output: str, key: Any) -> None:
        self._model = model
        self._output = output
        self._key = key

    def create_accumulator(self) -> int:
        return 0

    def add_input(self, count: int, row: Any) -> int:
        predictions = row.get_predictions(self._model, self._output)
        return count + (not _is_finite(predictions))

    def merge_accumulators(self, counts: Iterable[int]) -> int:
        return sum(counts)

    def extract_output(self, count: int) -> dict[Any, float]:
        return {self._key: float(count)}


def _is_finite(predictions: Any) -> bool:
    if isinstance(predictions, Mapping):
        return all(map(_is_finite, predictions.values()))
    values = np.asarray(predictions)
    return values.dtype.kind != "f" or bool(np.isfinite(values).all())
