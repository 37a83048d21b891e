"""Which runs somebody means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from zentfx.errors import NotFoundError, ParameterTypeError, near_matches
from zentfx.records.models import RUN_STATUSES, RunRecord

__all__ = ["CRITERIA", "selected"]

_Item = TypeVar("_Item")

# What a run may be chosen by: the values of a run, one of which has to be the one asked for.
CRITERIA: dict[str, Callable[[RunRecord], Iterable[str | None]]] = {
    "pipeline": lambda run: (run.pipeline,),
    "status": lambda run: (run.status,),
    "project": lambda run: (run.annotations.project,),
    "experiment": lambda run: (run.annotations.experiment,),
    "owner": lambda run: (run.annotations.owner,),
    "changelist": lambda run: (run.annotations.changelist,),
    "tag": lambda run: run.annotations.tags,
}
# Names of a fixed set: none may have that status, now.
_ALWAYS_KNOWN = {"status": RUN_STATUSES}


def selected(
    items: Sequence[_Item], run_of: Callable[[_Item], RunRecord], **criteria: Any
) -> list[_Item]:
    """Chooses runs, or what belongs to them.

    Args:
        items: The runs.
        run_of: Says which run one of them is of.
        **criteria: By name in :data:`CRITERIA`; None for any.

    Returns:
        Those that fulfil all of them.

    Raises:
        ParameterTypeError: If one is no text.
        NotFoundError: If no run at all fulfils one of them; names near matches.
    """
    chosen = list(items)
    for name, wanted in criteria.items():
        if wanted is None:
            continue
        if not isinstance(wanted, str):
            raise ParameterTypeError(f"{name} must be a text; {wanted!r} came.")
        values = CRITERIA[name]
        known = {value for item in items for value in values(run_of(item)) if value}
        if wanted not in known | set(_ALWAYS_KNOWN.get(name, ())):
            ran = "that has run" if name == "pipeline" else "with a run"
            near = near_matches(str(wanted), known)
            raise NotFoundError(f"There is no {name} {wanted!r} {ran}.{near}")
        chosen = [item for item in chosen if wanted in tuple(values(run_of(item)))]
    return chosen
