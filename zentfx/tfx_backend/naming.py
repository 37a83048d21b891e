"""Names and versions of what the steps of a run write."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from zentfx.orchestrators import RunRequest
from zentfx.records.schema import ARTIFACT_VERSION, Artifact
from zentfx.records.versions import Versions
from zentfx.running_step import NO_ARTIFACT
from zentfx.stores.mlmd import pb
from zentfx.tfx_backend.connection import RunConnection

__all__ = ["Naming"]


class Naming:
    """Claims versions of named outputs, and publishes them.

    Args:
        request: What is run.
        connection: The metadata store.
    """

    def __init__(self, request: RunRequest, connection: RunConnection) -> None:
        self._run = request.run_id
        self._connection = connection
        self._is_alive = request.is_alive
        self._exclusive = request.exclusive
        self._located = request.artifacts.located
        self._outputs = {node.name: node.step.named_outputs() for node in request.nodes}
        self._claimed: dict[tuple[str, str], tuple[str, str]] = {}
        # By step, the artifacts of the same result that are gone: their versions are made again.
        self.gone: dict[str, frozenset[int]] = {}

    def begin(self, step: str) -> None:
        """Claims versions that a step chooses itself: taken ones are refused before the work.

        Args:
            step: The step's name.

        Raises:
            DataError: If one is taken.
        """
        for key, output in self._outputs[step].items():
            if output.version is not None:
                self._claim(step, key, str(output.name), output.version)

    def read(self, execution_id: int, reads: Sequence[tuple[int, tuple[str, bool]]]) -> None:
        """Records what a step has looked up by itself, besides its inputs.

        Args:
            execution_id: Its execution.
            reads: Ids of artifacts, with their names.
        """
        found = {artifact_id: name for artifact_id, (name, _) in reads}
        found.pop(NO_ARTIFACT, None)
        if not found:
            return
        with self._connection as handle:
            known = handle.store.get_events_by_execution_ids([execution_id])
            # MLMD takes one event of a kind between two: that of an input says it already.
            for event in known:
                if event.type == pb.Event.INPUT:
                    found.pop(event.artifact_id, None)
            events = []
            for artifact_id, name in found.items():
                event = pb.Event(
                    type=pb.Event.INPUT, execution_id=execution_id, artifact_id=artifact_id
                )
                event.path.steps.add(key=name)
                event.path.steps.add(index=0)
                events.append(event)
            handle.store.put_events(events)

    def name(self, step: str, written: Mapping[str, Any]) -> None:
        """Writes names and versions on artifacts that are about to be published.

        Args:
            step: The step's name.
            written: MLMD's artifacts by output.
        """
        for key, output in self._outputs[step].items():
            if (step, key) not in self._claimed:
                self._claim(step, key, str(output.name), None)
            name, version = self._claimed[step, key]
            for artifact in written[key].artifacts:
                artifact.custom_properties[Artifact.NAME].string_value = name
                artifact.custom_properties[Artifact.VERSION].string_value = version

    def _claim(self, step: str, key: str, template: str, version: str | None) -> None:
        now = datetime.now().astimezone()
        name = template.format(date=f"{now:%Y_%m_%d}", time=f"{now:%H_%M_%S_%f}")
        with self._versions() as versions:
            gone = self.gone.get(step, frozenset())
            claimed = versions.claim(name, version, f"{self._run}:{step}", gone)
            self._claimed[step, key] = name, claimed

    def reused(self, step: str, outputs: Mapping[str, Any]) -> None:
        """Makes reused artifacts versions of their names, where their run was killed before it did.

        Args:
            step: The step's name.
            outputs: The artifacts by output.
        """
        for key, output in self._outputs[step].items():
            for artifact in outputs.get(key, ()):
                properties = artifact.mlmd_artifact.custom_properties
                if Artifact.NAME not in properties:
                    continue
                name, version = (
                    properties[item].string_value for item in (Artifact.NAME, Artifact.VERSION)
                )
                with self._connection as handle:
                    known = handle.store.get_contexts_by_artifact(artifact.id)
                if all(context.type != ARTIFACT_VERSION for context in known):
                    with self._versions() as versions:
                        versions.publish(name, version, artifact.id, output.tags)

    def published(self, step: str, outputs: Mapping[str, Any]) -> None:
        """Makes what a step has published versions of their names.

        Args:
            step: The step's name.
            outputs: The artifacts by output.
        """
        for key, output in self._outputs[step].items():
            if (step, key) not in self._claimed:
                continue  # the Launcher has reused an earlier result, which has a version
            name, version = self._claimed[step, key]
            with self._versions() as versions:
                for artifact in outputs[key]:
                    owner = f"{self._run}:{step}"
                    versions.publish(name, version, artifact.id, output.tags, owner)

    @contextlib.contextmanager
    def _versions(self) -> Iterator[Versions]:
        with self._connection as handle:
            yield Versions(handle.store, self._is_alive, self._exclusive, self._located)
