"""What a metadata store holds, as plain rows; two ways to read them give the same ones.

:mod:`zentfx.records.sql_rows` reads an SQLite file, :mod:`zentfx.records.api_rows` asks MLMD.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from zentfx.errors import StoreError
from zentfx.records import schema

if TYPE_CHECKING:
    from zentfx.stores.metadata import MetadataStore

__all__ = ["ARTIFACT_STATES", "JUDGED", "Event", "Item", "Rows", "StepRow", "rows_of"]


# MLMD's states of artifacts, by its numbers.
ARTIFACT_STATES = (
    "unknown",
    "pending",
    "live",
    "marked_for_deletion",
    "deleted",
    "abandoned",
    "reference",
)


# Properties of Metrics artifacts that say what the metrics mean.
JUDGED = (schema.Artifact.VERDICT, schema.Artifact.CLASSES)


class Item(NamedTuple):
    """An artifact, an execution or a context.

    Attributes:
        id: Its id in MLMD, among those of its kind.
        type: Its type's name.
        base: Name of its type's base type without ``mlmd.``, for example ``Train``; empty where it
            has none.
        name: Its name; empty where it has none.
        uri: Of an artifact, where its files are.
        state: MLMD's name of its state in lower case; empty where it has none.
        properties: Its properties and custom properties; of two with one name the custom one.
        created: Milliseconds since the epoch, UTC.
        updated: When it was last written, likewise.
    """

    id: int
    type: str
    base: str
    name: str
    uri: str
    state: str
    properties: dict[str, Any]
    created: int
    updated: int


class Event(NamedTuple):
    """An execution reads or writes an artifact.

    Attributes:
        execution: The execution's id.
        artifact: The artifact's id.
        reads: Whether it reads the artifact.
        names: Under which names; often one, of plain MLMD code none.
        when: Milliseconds since the epoch, UTC.
    """

    execution: int
    artifact: int
    reads: bool
    names: tuple[str, ...]
    when: int


class StepRow(NamedTuple):
    """An execution, as far as a comparison needs it.

    Attributes:
        run: Id of its run's context; 0 where it is in no run.
        execution: Its own id.
        type: Its type's name.
        base: Name of its type's base type, as in :class:`Item`.
        state: What zentfx calls its status, or else MLMD's state of it in lower case.
        recorded: Its ``zentfx_recorded`` text, or the first 2,000 bytes of it; None where zentfx
            did not write it.
    """

    run: int
    execution: int
    type: str
    base: str
    state: str
    recorded: str | None


class Rows(Protocol):
    """One look at a metadata store. Items come in the order of their ids, of links first that of
    the ids that were asked for; ids that do not exist are left out.
    """  # noqa: D205

    def contexts(self, type_name: str | None = None, newest: int | None = None) -> list[Item]:
        """Contexts of a type, or all; the newest so many, or all."""

    def context(self, type_name: str, name: str) -> Item | None:
        """The context of this name."""

    def executions(self, ids: Sequence[int] | None = None) -> list[Item]:
        """Executions, or all."""

    def loose_executions(self, since: int = 0) -> list[Item]:
        """The executions in no ``pipeline_run`` context, made at or after a time (ms)."""

    def executions_in(self, context_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """The executions of contexts, each with the context's id."""

    def contexts_with_executions(self, execution_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """The contexts of executions, each with the execution's id."""

    def context_names(self, execution_ids: Sequence[int]) -> list[tuple[int, str, str]]:
        """The contexts of executions by name alone: execution's id, type and name."""

    def steps_of_runs(self, every: bool) -> Iterable[StepRow]:
        """The executions, by their ``pipeline_run`` contexts.

        Unless it is to be every one, steps that neither train, nor have metrics, nor differ
        anywhere in the store may be left out: they tell no two runs apart.
        """

    def metrics_by_execution(self) -> Iterable[tuple[int, str, float]]:
        """The metrics that executions wrote or reused: execution's id, name and value."""

    def judged_by_execution(self) -> Iterable[tuple[int, str, str]]:
        """What is recorded beside metrics that executions wrote or reused.

        Execution's id, property (a verdict, or classes, or a later chunk of one) and text.
        """

    def artifacts(self, ids: Sequence[int] | None = None) -> list[Item]:
        """Artifacts, or all."""

    def artifacts_of_type(self, name: str) -> list[Item]:
        """Artifacts whose type is called so; ``mlmd.Dataset`` and the like are base types."""

    def artifacts_in(self, context_ids: Sequence[int]) -> list[tuple[int, Item]]:
        """The artifacts of contexts, each with the context's id."""

    def events_of_executions(self, ids: Sequence[int]) -> list[Event]:
        """What executions read and wrote."""

    def events_of_artifacts(self, ids: Sequence[int]) -> list[Event]:
        """What read and wrote artifacts."""

    def writers(self, artifact_ids: Sequence[int]) -> dict[int, int]:
        """The first execution that wrote each artifact; a step that reused it is a later one."""

    def last_events(self, artifact_ids: Sequence[int]) -> dict[int, int]:
        """When each artifact was last read or written: milliseconds since the epoch."""


@contextlib.contextmanager
def rows_of(store: MetadataStore) -> Iterator[Rows]:
    """Looks at a store, in the cheapest way that there is here and now.

    Args:
        store: The store.

    Yields:
        Its rows: all of one state of it where they are read by SQL.

    Raises:
        StoreError: If it cannot be read.
    """
    with store.reading() as database:
        if database is not None:
            from zentfx.records.sql_rows import SqlRows

            yield SqlRows(database)
            return
    from zentfx.records.api_rows import ApiRows
    from zentfx.stores.mlmd import mlmd

    try:
        yield ApiRows(store.connect())
    except mlmd.errors.StatusError as error:
        raise StoreError(f"{store.place} cannot be read: {error}") from error
