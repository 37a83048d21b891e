"""Reads runs, step runs and artifacts from MLMD.

No protobuf leaves this module.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from zentfx.errors import NotFoundError, near_matches
from zentfx.parameters import decode
from zentfx.records import schema
from zentfx.records.encoding import joined
from zentfx.records.models import (
    ArtifactRecord,
    PipelineVersionRecord,
    RunRecord,
    StepRunRecord,
)
from zentfx.stores.mlmd import mlmd, pb

__all__ = ["Reader"]

_STATUS = {
    pb.Execution.NEW: "running",
    pb.Execution.RUNNING: "running",
    pb.Execution.COMPLETE: "completed",
    pb.Execution.CACHED: "cached",
    pb.Execution.FAILED: "failed",
    pb.Execution.CANCELED: "canceled",
    pb.Execution.UNKNOWN: "running",
}
_INPUTS = (pb.Event.INPUT, pb.Event.DECLARED_INPUT, pb.Event.INTERNAL_INPUT)


class Reader:
    """Reads one metadata store.

    Args:
        client: The MLMD client.
        root: The repository's folder, from which recorded relative paths start.
    """

    def __init__(self, client: mlmd.MetadataStore, root: Path) -> None:
        self._client = client
        self._root = root
        self._types: dict[int, pb.ExecutionType] = {}

    def runs(self) -> list[RunRecord]:
        """All runs, oldest first."""
        contexts = self._client.get_contexts_by_type(schema.PIPELINE_RUN)
        return sorted(map(_run, contexts), key=lambda run: (run.started, run.id))

    def run(self, run_id: str) -> RunRecord:
        """One run.

        Args:
            run_id: Its id.

        Returns:
            The record.

        Raises:
            NotFoundError: If there is no such run.
        """
        return _run(self._run_context(run_id))

    def _run_context(self, run_id: str) -> pb.Context:
        context = self._client.get_context_by_type_and_name(schema.PIPELINE_RUN, run_id)
        if context is None:
            known = [item.name for item in self._client.get_contexts_by_type(schema.PIPELINE_RUN)]
            raise NotFoundError(f"There is no run {run_id!r}.{near_matches(run_id, known)}")
        return context

    def last_sign(self, run_id: str) -> datetime | None:
        """When anything was last written of a run's steps.

        Args:
            run_id: The run's id.

        Returns:
            The time in UTC, or None where it has no steps.
        """
        executions = self._client.get_executions_by_context(self._run_context(run_id).id)
        times = [item.last_update_time_since_epoch for item in executions]
        return _time(max(times)) if times else None

    def step_runs(self, run_id: str) -> list[StepRunRecord]:
        """The step runs of a run, in the order in which they started.

        Args:
            run_id: The run's id.

        Returns:
            The records.

        Raises:
            NotFoundError: If there is no such run.
        """
        context = self._run_context(run_id)
        executions = self._client.get_executions_by_context(context.id)
        events = self._events([execution.id for execution in executions])
        records = []
        for execution in sorted(executions, key=lambda item: item.id):
            inputs: dict[str, list[int]] = defaultdict(list)
            outputs: dict[str, list[int]] = defaultdict(list)
            for event in events[execution.id]:
                side = inputs if event.type in _INPUTS else outputs
                # MLMD asks nobody to name what an execution reads or writes; and what it reads
                # under two names is one event with both.
                names = [step.key for step in event.path.steps if step.HasField("key")]
                usual = "input" if side is inputs else "output"
                for name in names or [usual]:
                    side[name].append(event.artifact_id)
            records.append(self._step_run(execution, inputs, outputs))
        return records

    def _events(self, execution_ids: list[int]) -> dict[int, list[pb.Event]]:
        events: dict[int, list[pb.Event]] = defaultdict(list)
        if execution_ids:
            for event in self._client.get_events_by_execution_ids(execution_ids):
                events[event.execution_id].append(event)
        return events

    def _step_run(
        self,
        execution: pb.Execution,
        inputs: Mapping[str, list[int]],
        outputs: Mapping[str, list[int]],
    ) -> StepRunRecord:
        properties = _properties(execution)
        digests = joined(schema.Execution.DIGESTS, properties)
        kind = self._type(execution.type_id)
        status = properties.get(schema.Execution.STATUS, _STATUS[execution.last_known_state])
        started = _time(execution.create_time_since_epoch)
        # A crash is recorded when it is noticed, which says nothing of when it was.
        crashed = status == "crashed"
        updated = started if crashed else _time(execution.last_update_time_since_epoch)
        recorded = joined(schema.Execution.RECORDED, properties)
        data = decode(json.loads(recorded), self._root) if recorded else {}
        arguments = data.get("arguments", {})
        return StepRunRecord(
            id=execution.id,
            name=self._node_name(execution.id),
            type=kind.name,
            status=status,
            parameters={**data.get("derived", {}), **arguments},
            arguments=arguments,
            fingerprint=properties.get(schema.Execution.FINGERPRINT, ""),
            sources=properties.get(schema.Execution.SOURCES, ""),
            environment=_environment(properties),
            properties=properties,
            inputs={name: tuple(ids) for name, ids in inputs.items()},
            outputs={name: tuple(ids) for name, ids in outputs.items()},
            started=started,
            updated=updated,
            error=_error(properties),
            trains=kind.base_type == pb.ExecutionType.TRAIN,
            content=hashlib.sha256(digests.encode()).hexdigest() if digests else "",
        )

    def _node_name(self, execution_id: int) -> str:
        """The step's name: TFX's node context is called ``<pipeline>.<node id>``."""
        contexts = self._client.get_contexts_by_execution(execution_id)
        names = [context.name for context in contexts if context.type == schema.NODE]
        pipelines = [context.name for context in contexts if context.type == schema.PIPELINE]
        for name in names:
            for pipeline in pipelines:
                if name.startswith(f"{pipeline}."):
                    return str(name[len(pipeline) + 1 :])
        return str(names[0]) if names else ""

    def _type(self, type_id: int) -> pb.ExecutionType:
        if type_id not in self._types:
            for item in self._client.get_execution_types_by_id([type_id]):
                self._types[item.id] = item
        return self._types.get(type_id, pb.ExecutionType())

    def producers(self, artifact_ids: Iterable[int]) -> dict[int, int]:
        """The executions that first wrote artifacts; a step that reused one wrote it later.

        Args:
            artifact_ids: Ids of artifacts in MLMD.

        Returns:
            Ids of executions by artifact, where there is one.
        """
        ids = list(artifact_ids)
        written: dict[int, list[int]] = defaultdict(list)
        for event in self._client.get_events_by_artifact_ids(ids) if ids else ():
            if event.type == pb.Event.OUTPUT:
                written[event.artifact_id].append(event.execution_id)
        return {artifact: min(executions) for artifact, executions in written.items()}

    def environment(self, execution_id: int) -> dict[str, str]:
        """Versions of the packages that ran an execution.

        Args:
            execution_id: Its id in MLMD.

        Returns:
            Version by distribution name; empty where none are recorded.
        """
        [execution] = self._client.get_executions_by_id([execution_id])
        return _environment(_properties(execution))

    def artifacts(self, artifact_ids: Iterable[int]) -> dict[int, ArtifactRecord]:
        """Artifacts by id.

        Args:
            artifact_ids: Their ids in MLMD.

        Returns:
            The records that there are, by id.
        """
        ids = list(artifact_ids)
        return (
            {item.id: _artifact(item) for item in self._client.get_artifacts_by_id(ids)}
            if ids
            else {}
        )

    def all_artifacts(self) -> list[ArtifactRecord]:
        """All artifacts of the store, those of every state."""
        return [_artifact(item) for item in self._client.get_artifacts()]

    def marked(self) -> dict[int, str]:
        """The artifacts that are marked.

        Returns:
            The note of a mark by the artifact's id in MLMD.
        """
        notes = {}
        for context in self._client.get_contexts_by_type(schema.MARK):
            properties = _properties(context)
            if schema.Mark.REMOVED not in properties:
                for item in self._client.get_artifacts_by_context(context.id):
                    notes[item.id] = properties[schema.Mark.NOTE]
        return notes

    def pipeline_versions(self, pipeline: str | None = None) -> list[PipelineVersionRecord]:
        """The versions of one pipeline, or of all, oldest first.

        Args:
            pipeline: The pipeline's name; None for all.

        Returns:
            The records.
        """
        names = schema.PipelineVersion
        records = []
        for context in self._client.get_contexts_by_type(schema.PIPELINE_VERSION):
            properties = _properties(context)
            record = PipelineVersionRecord(
                pipeline=properties[names.PIPELINE],
                number=properties[names.NUMBER],
                digest=properties[names.DIGEST],
                yaml_uri=properties[names.YAML_URI],
                created=_time(context.create_time_since_epoch),
            )
            if pipeline in (None, record.pipeline):
                records.append(record)
        return sorted(records, key=lambda item: (item.pipeline, item.number))


def _run(context: pb.Context) -> RunRecord:
    properties = _properties(context)
    names = schema.Run
    ended = properties.get(names.ENDED)
    return RunRecord(
        id=context.name,
        status=properties.get(names.STATUS, "unknown"),
        pipeline=properties.get(names.PIPELINE, ""),
        version=properties.get(names.VERSION, 0),
        user=properties.get(names.USER, ""),
        host=properties.get(names.HOST, ""),
        started=_time(int(properties.get(names.STARTED, context.create_time_since_epoch))),
        ended=_time(int(ended)) if ended else None,
        code_revision=properties.get(names.CODE_REVISION),
        error=properties.get(names.ERROR),
        steps=tuple(json.loads(joined(names.STEPS, properties) or "[]")),
    )


def _artifact(artifact: pb.Artifact) -> ArtifactRecord:
    return ArtifactRecord(
        id=artifact.id,
        type=artifact.type,
        uri=artifact.uri,
        state=pb.Artifact.State.Name(artifact.state).lower(),
        properties=_properties(artifact),
        created=_time(artifact.create_time_since_epoch),
    )


def _properties(message: Any) -> dict[str, Any]:
    return {
        name: _value(value)
        for table in (message.properties, message.custom_properties)
        for name, value in table.items()
        if value.WhichOneof("value")
    }


def _value(value: pb.Value) -> Any:
    kind = value.WhichOneof("value")
    if kind == "struct_value":
        return json_format.MessageToDict(value.struct_value)
    return str(value.proto_value) if kind == "proto_value" else getattr(value, kind)


def _environment(properties: Mapping[str, Any]) -> dict[str, str]:
    versions: dict[str, str] = json.loads(joined(schema.Execution.ENVIRONMENT, properties) or "{}")
    return versions


def _error(properties: Mapping[str, Any]) -> str | None:
    """The error's text in what TFX notes as the execution's result."""
    result = properties.get("__execution_result__")
    if not result:
        return None
    try:
        return str(json.loads(result).get("resultMessage", result))
    except ValueError:
        return str(result)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
