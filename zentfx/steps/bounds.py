"""Bounds that bless a model: how they are written, and what keeps them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zentfx.analysis.direction import is_lower_better
from zentfx.errors import near_matches

__all__ = [
    "Bound",
    "metric_key",
    "not_finite_reasons",
    "parse_bounds",
    "passed_over",
    "verdict",
    "verdict_text",
]

_SHOWN = 3  # of what there may be many
LOWER, UPPER, NO_WORSE = "lower", "upper", "no_worse"
OVERALL = "overall"
_KEYS = frozenset({LOWER, UPPER, "slices", "min_rows"})
_GRAMMAR = (
    "takes 'lower', 'upper' or both, and where wanted 'slices' and 'min_rows': "
    '{"upper": 4.0, "slices": [["company"]], "min_rows": 30}'
)

Slice = Mapping[str, Any]
Refuse = Callable[[str], Exception]


@dataclass(frozen=True)
class Bound:
    """Bounds for one metric of one label.

    Attributes:
        label: The label.
        metric: The metric.
        lower: The least value; None for none.
        upper: The greatest value; None for none.
        slices: Where it holds: lists of columns, whose slices are meant, none for the whole data;
            or a column's values by name, for one slice. None for everywhere.
        min_rows: Slices with fewer rows that have the label are left alone.
    """

    label: str
    metric: str
    lower: float | None
    upper: float | None
    slices: tuple[Sequence[str] | Slice, ...] | None
    min_rows: int

    def holds_in(self, where: Slice) -> bool:
        """Says whether it is meant for a slice.

        Args:
            where: The slice's values by column; empty for the whole data.

        Returns:
            Whether it is.
        """
        return self.slices is None or any(_is_meant(spec, where) for spec in self.slices)

    @property
    def tfma_limits(self) -> dict[str, float]:
        """The bounds as TFMA's ``GenericValueThreshold``, as JSON data."""
        given = {"lower_bound": self.lower, "upper_bound": self.upper}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def tfma_slices(self) -> list[dict[str, Any]] | None:
        """Where they hold as TFMA's ``SlicingSpec``, as JSON data; None for everywhere."""
        if self.slices is None:
            return None
        return [
            {"feature_values": {column: str(value) for column, value in spec.items()}}
            if isinstance(spec, Mapping)
            else {"feature_keys": list(spec)}
            if spec
            else {}
            for spec in self.slices
        ]


def _is_meant(spec: Sequence[str] | Slice, where: Slice) -> bool:
    if set(spec) != set(where):
        return False
    return not isinstance(spec, Mapping) or all(
        str(where[column]) == str(value) for column, value in spec.items()
    )


def parse_bounds(
    thresholds: Mapping[str, Any],
    metrics: Mapping[str, Sequence[str]],
    slices: Sequence[Sequence[str]],
    refuse: Refuse,
) -> list[Bound]:
    """Reads ``thresholds``.

    Args:
        thresholds: Bounds, or a list of them, by metric or ``<label>.<metric>``.
        metrics: The metrics of each label.
        slices: The columns by which data is sliced.
        refuse: Makes an error of what is wrong with them.

    Returns:
        The bounds.
    """
    found = []
    for key, given in thresholds.items():
        meant = [
            (label, metric)
            for label, names in metrics.items()
            for metric in names
            if key in (metric, f"{label}.{metric}")
        ]
        if not meant:
            known = [metric for names in metrics.values() for metric in names]
            known += [f"{label}.{metric}" for label, names in metrics.items() for metric in names]
            near = near_matches(key, known)
            raise refuse(f"bounds {key!r}, which is not evaluated.{near}")
        if given == []:
            raise refuse(f"for {key!r} {_GRAMMAR}; got [].")
        for bounds in given if isinstance(given, list) else [given]:
            _check(key, bounds, slices, refuse)
            found += [_bound(label, metric, bounds) for label, metric in meant]
    return found


def _check(
    key: str, bounds: Mapping[str, Any], slices: Sequence[Sequence[str]], refuse: Refuse
) -> None:
    if not isinstance(bounds, Mapping) or not {LOWER, UPPER} & bounds.keys():
        raise refuse(f"for {key!r} {_GRAMMAR}; got {bounds!r}.")
    unknown = sorted(bounds.keys() - _KEYS)
    if unknown:
        raise refuse(
            f"for {key!r} {_GRAMMAR}; got {unknown[0]!r}.{near_matches(unknown[0], _KEYS)}"
        )
    for side in (LOWER, UPPER):
        value = bounds.get(side, 0.0)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise refuse(f"for {key!r}: {side!r} must be a number; got {value!r}.")
    if bounds.get(LOWER, -math.inf) > bounds.get(UPPER, math.inf):
        raise refuse(f"for {key!r} has a lower bound above the upper: {bounds!r}.")
    rows = bounds.get("min_rows", 1)
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise refuse(f"for {key!r}: 'min_rows' must be a number of rows, at least 1; got {rows!r}.")
    _check_slices(key, bounds.get("slices", OVERALL), slices, refuse)


def _check_slices(key: str, given: Any, slices: Sequence[Sequence[str]], refuse: Refuse) -> None:
    if given == OVERALL:
        return
    known = [set(), *map(set, slices)]
    if not isinstance(given, list) or not given:
        raise refuse(
            f"for {key!r}: 'slices' is 'overall', or a list of slices: columns, as "
            f'["company"], or values, as {{"company": "A"}}; got {given!r}.'
        )
    for spec in given:
        if not isinstance(spec, (list, Mapping)) or set(spec) not in known:
            listed = ", ".join(map(repr, slices)) or "none"
            raise refuse(
                f"for {key!r}: the data is not sliced by {spec!r}. The step's slices are: {listed}."
            )


def _bound(label: str, metric: str, bounds: Mapping[str, Any]) -> Bound:
    given = bounds.get("slices")
    places: Any = [[]] if given == OVERALL else given
    return Bound(
        label=label,
        metric=metric,
        lower=None if LOWER not in bounds else float(bounds[LOWER]),
        upper=None if UPPER not in bounds else float(bounds[UPPER]),
        slices=None if places is None else tuple(places),
        min_rows=bounds.get("min_rows", 1),
    )


def metric_key(label: str, metric: str, labels: Sequence[str]) -> str:
    """The name under which a metric of a label is recorded.

    Args:
        label: The label.
        metric: The metric.
        labels: All labels that are evaluated.

    Returns:
        The metric, with the label before it if there are several.
    """
    return metric if len(labels) == 1 else f"{label}.{metric}"


def verdict(
    bounds: Sequence[Bound],
    no_worse: Sequence[tuple[str, str]],
    evaluated: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Holds an evaluation against bounds.

    Args:
        bounds: The bounds.
        no_worse: Label and metric of those that must be no worse than the baseline's, overall.
        evaluated: What was measured: ``overall`` and ``slices`` as in the metrics' file, ``rows``
            by label there, ``not_finite`` by split, and the ``baseline``'s ``metrics``, if any.

    Returns:
        Why the model is not blessed; nothing if it is. Each reason has a ``kind``: ``bound``,
        ``no_worse``, ``not_finite``, or ``few_rows`` where the whole data is too small to tell.
    """
    labels = list(evaluated["rows"])
    reasons = not_finite_reasons(evaluated)
    needed = dict.fromkeys((label for label, _ in no_worse), 1)
    for bound in bounds:
        least = bound.min_rows if bound.holds_in({}) else 1
        needed[bound.label] = max(least, needed.get(bound.label, 1))
    reasons += [
        {"kind": "few_rows", "label": label, "rows": evaluated["rows"][label], "min_rows": least}
        for label, least in needed.items()
        if evaluated["rows"].get(label, least) < least
    ]
    whole = {"slice": {}, "metrics": evaluated["overall"], "rows": evaluated["rows"]}
    for part in (whole, *evaluated["slices"]):
        for bound in bounds:
            if bound.holds_in(part["slice"]):
                reasons += _broken(bound, part, labels)
    baseline = evaluated.get("baseline")
    if baseline is not None:
        for label, metric in no_worse:
            name = metric_key(label, metric, labels)
            now = evaluated["overall"].get(name, math.nan)
            before = baseline["metrics"].get(name)
            if before is not None and _is_worse(metric, now, before):
                reasons.append({"kind": NO_WORSE, "metric": name, "value": now, "baseline": before})
    return reasons


def not_finite_reasons(evaluated: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Reasons against a model with predictions that are not finite.

    Args:
        evaluated: As for :func:`verdict`.

    Returns:
        One for each split that has such predictions.
    """
    return [
        {"kind": "not_finite", "split": split, "rows": rows}
        for split, rows in evaluated["not_finite"].items()
    ]


def _broken(bound: Bound, part: Mapping[str, Any], labels: Sequence[str]) -> Iterator[Any]:
    rows = part["rows"].get(bound.label, 0)
    name = metric_key(bound.label, bound.metric, labels)
    if rows < bound.min_rows:
        return
    # One that was not measured keeps no bound.
    value = part["metrics"].get(name, math.nan)
    for side, limit in ((LOWER, bound.lower), (UPPER, bound.upper)):
        if limit is None:
            continue
        # Written so that NaN breaks it.
        keeps = value >= limit if side == LOWER else value <= limit
        if not keeps:
            yield {
                "kind": "bound",
                "slice": dict(part["slice"]),
                "metric": name,
                "value": value,
                "bound": side,
                "limit": limit,
                "rows": rows,
            }


def passed_over(bounds: Sequence[Bound], evaluated: Mapping[str, Any]) -> list[str]:
    """Says which slices bounds were not held against.

    Args:
        bounds: The bounds.
        evaluated: See :func:`verdict`.

    Returns:
        Sentences.
    """
    parts = evaluated["slices"]
    found: dict[str, None] = {}
    for bound in bounds:
        small = [
            part
            for part in parts
            if bound.holds_in(part["slice"])
            and 0 < part["rows"].get(bound.label, 0) < bound.min_rows
        ]
        if small:
            shown = _some([_pairs(part["slice"]) for part in small])
            found[
                f"Fewer than {bound.min_rows} rows, so not held to the bounds of {bound.metric}: "
                f"{shown}."
            ] = None
        for spec in bound.slices or ():
            if isinstance(spec, Mapping) and not any(_is_meant(spec, p["slice"]) for p in parts):
                found[f"No rows to hold to the bounds of {bound.metric}: {_pairs(spec)}."] = None
    return list(found)


def _some(texts: Sequence[str]) -> str:
    more = f", and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return f"{', '.join(texts[:_SHOWN])}{more}"


def _pairs(where: Slice) -> str:
    return " and ".join(f"{column} is {value!r}" for column, value in where.items())


def _is_worse(metric: str, now: float, before: float) -> bool:
    if math.isnan(before):
        return False
    return not (now <= before if is_lower_better(metric) else now >= before)


def verdict_text(reasons: Sequence[Mapping[str, Any]]) -> str:
    """Says in words whether a model is blessed, and why not.

    Args:
        reasons: What :func:`verdict` gives.

    Returns:
        ``blessed``, or ``not blessed: `` and the first reasons.
    """
    if not reasons:
        return "blessed"
    more = len(reasons) - _SHOWN
    rest = f"; and {more} more reason{'s' if more > 1 else ''}" if more > 0 else ""
    return f"not blessed: {'; '.join(map(_sentence, reasons[:_SHOWN]))}{rest}"


def _sentence(reason: Mapping[str, Any]) -> str:
    kind = reason["kind"]
    if kind == "not_finite":
        rows = reason["rows"]
        return f"{rows} predictions in the split {reason['split']!r} are not finite"
    if kind == "few_rows":
        return (
            f"{reason['rows']} rows have the label {reason['label']!r}, and at least "
            f"{reason['min_rows']} are needed"
        )
    if kind == NO_WORSE:
        return (
            f"{reason['metric']} is {reason['value']:.6g}, worse than the baseline's "
            f"{reason['baseline']:.6g}"
        )
    if kind == "missing_slice":
        return f"there are no rows in {reason['slice']}"
    if kind == "tfma":
        if "metric" not in reason:
            return str(reason["message"])
        more = f" ({reason['message']})" if reason["message"] else ""
        return f"{_measured(reason)}, against {reason['limit']}{more}"
    side = "below" if reason["bound"] == LOWER else "above"
    if math.isnan(reason["value"]):
        side = "which does not keep"
    return f"{_measured(reason)}, {side} the {reason['bound']} bound {reason['limit']:.6g}"


def _measured(reason: Mapping[str, Any]) -> str:
    return f"{reason['metric']} is {reason['value']:.6g} {_where(reason)}"


def _where(reason: Mapping[str, Any]) -> str:
    if not reason["slice"]:
        return "overall"
    rows = f" ({reason['rows']} rows)" if "rows" in reason else ""
    return f"where {_pairs(reason['slice'])}{rows}"
