"""TFX's connection to the metadata store, for one run: one client, and no look through history.

TFX opens the store anew for every node, asks for each type and context again and again, and finds
what earlier nodes of a run wrote by listing all executions of the pipeline that ever were: a node
of a pipeline that ran 2,000 times takes ten times as long as one that runs first. What a run needs
to know of itself passes through here, so it is answered from memory.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from zentfx.light_imports import light_imports
from zentfx.records import schema
from zentfx.stores.mlmd import mlmd, pb

with light_imports():
    from tfx.orchestration import metadata

__all__ = ["RunConnection"]

# Contexts whose executions TFX asks for in order to find those of one run.
_OF_A_RUN = (schema.PIPELINE, schema.PIPELINE_RUN, schema.NODE)


class RunConnection(metadata.Metadata):
    """Opens nothing; lets in one thread at a time.

    Args:
        client: MLMD's client.
        config: How MLMD connects to the store, for those who ask.
    """

    def __init__(self, client: mlmd.MetadataStore, config: pb.ConnectionConfig) -> None:
        super().__init__(config)
        self._client = client
        self._store: Any = _RunStore(client)
        self._lock = threading.RLock()

    def of_all(self) -> RunConnection:
        """The same, but what other runs have recorded is seen too."""
        other = RunConnection(self._client, self._connection_config)
        other._store = self._client
        other._lock = self._lock
        return other

    def __enter__(self) -> RunConnection:
        self._lock.acquire()
        return self

    def __exit__(self, *exception: object) -> None:
        self._lock.release()


class _RunStore:
    """MLMD's client as one run sees it.

    Types and the run's contexts never change once they are there. Of the contexts that a run shares
    with others (its pipeline's, its nodes'), it sees its own executions alone: all that it looks
    for is in its own context besides.

    Args:
        client: MLMD's client.
    """

    def __init__(self, client: mlmd.MetadataStore) -> None:
        self._client = client
        self._known: dict[tuple[str, ...], Any] = {}
        self._own_contexts: set[int] = set()
        self._executions: defaultdict[int, list[int]] = defaultdict(list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def _once(self, *question: str) -> Any:
        if question not in self._known:
            answer = getattr(self._client, question[0])(*question[1:])
            if answer is None:
                return None
            self._known[question] = answer
        return self._known[question]

    def get_artifact_type(self, type_name: str) -> Any:
        return self._once("get_artifact_type", type_name)

    def get_execution_type(self, type_name: str) -> Any:
        return self._once("get_execution_type", type_name)

    def get_context_type(self, type_name: str) -> Any:
        return self._once("get_context_type", type_name)

    def put_artifact_type(self, artifact_type: pb.ArtifactType, **options: Any) -> int:
        return self._put_type("artifact", artifact_type, options)

    def put_execution_type(self, execution_type: pb.ExecutionType, **options: Any) -> int:
        return self._put_type("execution", execution_type, options)

    def put_context_type(self, context_type: pb.ContextType, **options: Any) -> int:
        return self._put_type("context", context_type, options)

    def _put_type(self, kind: str, new: Any, options: dict[str, Any]) -> int:
        self._known.pop((f"get_{kind}_type", new.name), None)
        type_id: int = getattr(self._client, f"put_{kind}_type")(new, **options)
        return type_id

    def get_context_by_type_and_name(self, type_name: str, context_name: str) -> Any:
        if type_name not in _OF_A_RUN:
            return self._client.get_context_by_type_and_name(type_name, context_name)
        found = self._once("get_context_by_type_and_name", type_name, context_name)
        if found is not None:
            self._own_contexts.add(found.id)
        return found

    def put_execution(
        self, execution: pb.Execution, artifact_and_events: Any, contexts: Any, **options: Any
    ) -> Any:
        written = self._client.put_execution(execution, artifact_and_events, contexts, **options)
        execution_id, _, context_ids = written
        self.note(execution_id, context_ids)
        return written

    def note(self, execution_id: int, context_ids: Sequence[int]) -> None:
        """Takes an execution for one of the run's."""
        for context in context_ids:
            if execution_id not in self._executions[context]:
                self._executions[context].append(execution_id)

    def get_executions_by_context(self, context_id: int, *args: Any, **options: Any) -> Any:
        if context_id not in self._own_contexts:
            return self._client.get_executions_by_context(context_id, *args, **options)
        ids: Sequence[int] = self._executions[context_id]
        return self._client.get_executions_by_id(ids) if ids else []
