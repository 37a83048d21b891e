"""What TFMA has measured, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow_model_analysis as tfma

from zentfx.steps.evaluator import EvaluatorStep, TFMAEvaluator
from zentfx.tfx_backend.executors.finite_metric import NOT_FINITE

__all__ = ["ROWS", "failures", "plain"]

# The metric that counts the rows of a slice that have the label.
ROWS = "zentfx_rows"
_DIFFERENCE = "_diff"  # at the end of TFMA's names


def plain(uri: str, step: EvaluatorStep, compared: bool) -> dict[str, Any]:
    """Reads an evaluation.

    Args:
        uri: Its folder.
        step: The step that asked for it.
        compared: Whether a baseline was evaluated too.

    Returns:
        ``overall``: value by metric; ``rows``: rows that have the label, by label; ``slices``:
        those that have such rows, each with ``slice`` (value by column), ``metrics``, ``rows``;
        ``left_out``: the others, each with ``slice``, and ``label`` where there are several;
        ``not_finite``: predictions that are not finite; where a baseline was evaluated,
        ``baseline``: its overall ``metrics``. A metric of one of several labels is called
        ``<label>.<metric>``; where the step names no labels there is one, called ``""``.
    """
    named = list(step.metrics) if isinstance(step, TFMAEvaluator) else []
    parts = list(_parts(uri, tfma.CANDIDATE_KEY if compared else None, named))
    # A step of the user's own may evaluate slices alone.
    found: dict[str, Any] = {"overall": {}, "rows": {}, "slices": [], "left_out": []}
    found["not_finite"] = 0
    for where, metrics, rows, not_finite in parts:
        kept = {name: value for (label, name), value in metrics.items() if rows.get(label, 1)}
        if not where:
            found |= {"overall": kept, "rows": rows, "not_finite": not_finite}
            continue
        empty = [label for label, count in rows.items() if not count]
        for label in empty:
            which = {} if len(rows) == 1 else {"label": label}
            found["left_out"].append({"slice": where, **which})
        if len(empty) < len(rows) or not rows:
            found["slices"].append({"slice": where, "metrics": kept, "rows": rows})
    if compared:
        for where, metrics, _, _ in _parts(uri, tfma.BASELINE_KEY, named):
            if not where:
                found["baseline"] = {"metrics": {name: v for (_, name), v in metrics.items()}}
    return found


def _parts(
    uri: str, model: str | None, labels: list[str]
) -> Iterator[tuple[dict[str, Any], dict[tuple[str, str], float], dict[str, int], int]]:
    """Of each slice: its values, its metrics by label and name, rows by label, and odd ones."""
    result = tfma.load_eval_result(uri, model_name=model)
    for key, by_output in result.slicing_metrics:
        metrics: dict[tuple[str, str], float] = {}
        rows: dict[str, int] = {}
        not_finite = 0
        for output, by_sub_key in by_output.items():
            label = output or (labels[0] if len(labels) == 1 else "")
            for sub_key, values in by_sub_key.items():
                for name, value in values.items():
                    difference = name.endswith(_DIFFERENCE) and (
                        name.removesuffix(_DIFFERENCE) in values
                    )
                    if "doubleValue" not in value or difference:
                        continue
                    number = float(value["doubleValue"])
                    if name == NOT_FINITE:
                        not_finite += int(number)
                    elif name == ROWS:
                        rows[label] = round(number)
                    else:
                        prefix = "" if len(labels) == 1 else output
                        path = ".".join(part for part in (prefix, name, sub_key) if part)
                        metrics[label, path] = number
        yield dict(key), metrics, rows, not_finite


def failures(uri: str) -> list[dict[str, Any]]:
    """Why TFMA did not validate a model, by the thresholds in its own config.

    Args:
        uri: The evaluation's folder.

    Returns:
        Reasons as :func:`zentfx.steps.bounds.verdict` gives them.
    """
    result = tfma.load_validation_result(uri)
    found: list[dict[str, Any]] = []
    for part in result.metric_validations_per_slice:
        where = dict(_single(item) for item in part.slice_key.single_slice_keys)
        for failure in part.failures:
            name = ".".join(
                text for text in (failure.metric_key.output_name, failure.metric_key.name) if text
            )
            found.append(
                {
                    "kind": "tfma",
                    "slice": where,
                    "metric": name,
                    "value": failure.metric_value.double_value.value,
                    "limit": " ".join(str(failure.metric_threshold).split()),
                    "message": failure.message.strip(),
                }
            )
    found += [
        {"kind": "missing_slice", "slice": " ".join(str(missing).split())}
        for missing in result.missing_slices
    ]
    if not result.validation_ok and not found:
        found.append({"kind": "tfma", "message": "TFMA did not validate it"})
    return found


def _single(item: Any) -> tuple[str, Any]:
    value = getattr(item, item.WhichOneof("kind"))
    return item.column, value.decode() if isinstance(value, bytes) else value
