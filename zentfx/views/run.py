"""A run and its steps, as their user sees them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zentfx.annotations import changed, with_tags
from zentfx.materializers.environments import environment_of
from zentfx.records.encoding import joined, metric_values
from zentfx.records.models import (
    ArtifactRecord,
    RunRecord,
    StepRunRecord,
    skipped_step,
)
from zentfx.records.schema import Artifact
from zentfx.steps.list_inputs import ordered_inputs
from zentfx.views.artifact import ArtifactVersion
from zentfx.views.graph import Graph
from zentfx.views.identified import Identified
from zentfx.views.named import Named

if TYPE_CHECKING:
    from zentfx.views.catalog import Catalog

__all__ = ["Run", "StepRun"]


def _metrics_of(artifacts: Iterable[ArtifactRecord]) -> dict[str, float]:
    """The metrics that are recorded on outputs of a step."""
    return {
        name: value
        for artifact in artifacts
        if "Metrics" in (artifact.type, artifact.base_type)
        for name, value in metric_values(artifact.properties).items()
    }


class StepRun:
    """One step in one run.

    Args:
        record: What is recorded of it.
        run: The run's record.
        catalog: Where more is looked up.
        addresses: Address of each artifact that a step of the run wrote, by its id in MLMD.
    """

    def __init__(
        self,
        record: StepRunRecord,
        run: RunRecord,
        catalog: Catalog,
        addresses: Mapping[int, str],
    ) -> None:
        self._record = record
        self._run = run
        self._catalog = catalog
        self._workspace = catalog.workspace
        self._addresses = addresses

    @property
    def name(self) -> str:
        """The step's name in its pipeline."""
        return self._record.name

    @property
    def status(self) -> str:
        """What became of it.

        ``running``, ``completed``, ``cached``, ``failed``, ``canceled``, ``crashed`` (its process
        is gone), or ``skipped`` (the run ended before it, or a step that it needs failed).
        """
        return self._record.status

    @property
    def source(self) -> str:
        """Dotted name of the step's class."""
        return self._record.type

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters, exactly as they were bound; those that a subclass derived included."""
        return dict(self._record.parameters)

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the step's code."""
        return self._record.fingerprint

    @property
    def content(self) -> str:
        """Digest of the content of its input files; empty where it has none."""
        return self._record.content

    @property
    def source_code(self) -> dict[str, str]:
        """The source text of the step and of the user's modules that it reaches, by module."""
        text = self._workspace.artifacts.read_text("sources", f"{self._record.sources}.json")
        return json.loads(text) if text else {}

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics that it recorded, or reused, by name: overall values, exactly."""
        ids = [item for group in self._record.outputs.values() for item in group]
        return _metrics_of(self._workspace.reader.artifacts(ids).values())

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What it said about its result, or that of the run that it reused; sentences.

        How many labels are missing, which epoch's model was kept, why a model was not blessed.
        """
        found = self._recorded(Artifact.REMARKS)
        return tuple(dict.fromkeys(text for texts in found for text in texts))

    @cached_property
    def labels(self) -> dict[str, dict[str, dict[str, int]]]:
        """Of a preprocessor: how many ``rows`` each split has, and how many lack a label.

        By split and label, the numbers of ``rows``, of those whose label is ``missing``, and of
        those whose class is ``unknown``. Empty for other steps.
        """
        return next(iter(self._recorded(Artifact.LABELS)), {})

    @cached_property
    def classes(self) -> dict[str, list[str]]:
        """Of a trainer or an evaluator: the classes of each label of strings, by index.

        Of a model with one output the second class is the positive one.
        """
        return next(iter(self._recorded(Artifact.CLASSES)), {})

    def _recorded(self, name: str) -> list[Any]:
        """JSON data that outputs have under a name."""
        ids = [item for group in self._record.outputs.values() for item in group]
        found = self._workspace.reader.artifacts(ids)
        texts = [joined(name, found[item].properties) for item in ids if item in found]
        return [json.loads(text) for text in texts if text]

    @property
    def environment(self) -> dict[str, str]:
        """Versions of Python and of the packages that computed its outputs.

        Besides those that results depend on most they are those that the step's code imports, and
        that the values which it returned are of. For a step that was reused, they are those of the
        run that computed them.
        """
        reader = self._workspace.reader
        outputs = [item for group in self._record.outputs.values() for item in group]
        versions = dict(self._record.environment)
        if self.status == "cached" and outputs:
            origin = reader.origins(outputs[:1]).get(outputs[0])
            if origin is not None:
                versions = reader.environment(origin.execution)
        for artifact in reader.artifacts(outputs).values():
            versions |= environment_of(artifact.properties)
        return versions

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return (self._record.updated - self._record.started).total_seconds()

    @property
    def attempts(self) -> int:
        """How often it was tried; what is said of it is said of the last attempt."""
        return self._record.attempts

    @property
    def error(self) -> str | None:
        """Text of the error that ended it, or None."""
        return self._record.error

    @cached_property
    def inputs(self) -> Named[ArtifactVersion]:
        """The artifacts that it read, by input name; each has its producer's address."""
        ids = {name: self._record.inputs[name] for name in ordered_inputs(self._record.inputs)}
        return self._artifacts(ids, "input", self._addresses)

    @cached_property
    def outputs(self) -> Named[ArtifactVersion]:
        """The artifacts that it wrote, or reused, by output name."""
        return self._artifacts(self._record.outputs, "output", {})

    def _artifacts(
        self, ids: Mapping[str, tuple[int, ...]], kind: str, addresses: Mapping[int, str]
    ) -> Named[ArtifactVersion]:
        records = self._workspace.reader.artifacts(i for group in ids.values() for i in group)
        found: Named[ArtifactVersion] = Named(kind, f"step {self.name!r}")
        for name, group in ids.items():
            own = f"{self._run.pipeline}::{self.name}::{name}"
            address = addresses.get(group[0], own)
            if group[0] in records:  # a broken store may not have it
                record = records[group[0]]
                # Under its name where it has one: the wiring's knows no date, say.
                shown = name if kind == "input" else record.properties.get(Artifact.NAME, name)
                found[shown] = ArtifactVersion(record, self._catalog, address)
        return found

    def log(self) -> str:
        """Reads what the step logged; empty for a step that was reused."""
        file = self._workspace.logs / self._run.id / f"{self.name}.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""

    def __repr__(self) -> str:
        return f"StepRun({self.name!r}, status={self.status!r}, source={self.source!r})"


class Run(Identified):
    """One run of a pipeline, as it was recorded when this object was made.

    Args:
        record: What is recorded of it.
        catalog: Where more is looked up.
    """

    def __init__(self, record: RunRecord, catalog: Catalog) -> None:
        self._record = record
        self._catalog = catalog
        self._workspace = catalog.workspace

    @property
    def id(self) -> str:
        """Its id, unique in the store."""
        return self._record.id

    @property
    def status(self) -> str:
        """How it ended, or ``running``.

        ``completed``, ``failed``, ``canceled`` or ``crashed``; ``unknown`` where others than zentfx
        wrote it and nothing tells.
        """
        return self._record.status

    @property
    def pipeline(self) -> str:
        """Name of the pipeline."""
        return self._record.pipeline

    @property
    def version(self) -> int:
        """Version of the pipeline."""
        return self._record.version

    @property
    def user(self) -> str:
        """Who ran it."""
        return self._record.user

    @property
    def host(self) -> str:
        """On which machine."""
        return self._record.host

    @property
    def code_revision(self) -> str | None:
        """The git commit that was checked out; None without git."""
        return self._record.code_revision

    @property
    def started(self) -> datetime:
        """When it started, in UTC."""
        return self._record.started

    @property
    def duration(self) -> float:
        """Seconds from start to end; to now, while it runs."""
        ended = self._record.ended or datetime.now(timezone.utc)
        return (ended - self._record.started).total_seconds()

    @property
    def error(self) -> str | None:
        """Text of the error that ended it, or None."""
        return self._record.error

    @property
    def project(self) -> str | None:
        """The project that it was put into."""
        return self._record.annotations.project

    @property
    def experiment(self) -> str | None:
        """The experiment that it was put into."""
        return self._record.annotations.experiment

    @property
    def owner(self) -> str | None:
        """Who answers for it, as somebody has said."""
        return self._record.annotations.owner

    @property
    def changelist(self) -> str | None:
        """The change of the code that it was made of, as somebody has said."""
        return self._record.annotations.changelist

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by, sorted."""
        return self._record.annotations.tags

    @property
    def note(self) -> str | None:
        """A remark."""
        return self._record.annotations.note

    def annotate(self, **changes: str | None) -> None:
        """Says something of the run, after the fact; nothing is computed anew for it.

        Args:
            **changes: ``project``, ``experiment``, ``owner``, ``changelist`` or ``note``; None
                takes it away.

        Raises:
            TypeError: If one is called otherwise.
            ParameterTypeError: If one is no text.
            StoreError: If the store is read-only.
        """
        unknown = changes.keys() - {"project", "experiment", "owner", "changelist", "note"}
        if unknown:
            raise TypeError(
                f"annotate() takes project, experiment, owner, changelist and note; "
                f"{', '.join(sorted(unknown))} came. Tags have add_tags()."
            )
        self._annotate(changes)

    def add_tags(self, *tags: str) -> None:
        """Adds tags.

        Args:
            *tags: Words to find the run by.

        Raises:
            ParameterTypeError: If one is no text.
            StoreError: If the store is read-only.
        """
        self._annotate({}, add=tags)

    def remove_tags(self, *tags: str) -> None:
        """Takes tags away; those that the run does not have are left out.

        Args:
            *tags: The tags.

        Raises:
            StoreError: If the store is read-only.
        """
        self._annotate({}, remove=tags)

    def _annotate(
        self, changes: Mapping[str, Any], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> None:
        with self._workspace.annotating() as annotator:
            before = self._workspace.run(self.id).annotations
            told = with_tags(before, changes, add, remove)
            now = changed(before, **told)
            annotator.annotate(self.id, now, told)
        self._record = self._record._replace(annotations=now)

    def graph(self) -> Graph:
        """Its steps, and what they read and wrote: print it, or ``graph().to_dict()``."""
        return self._catalog.graph(self._workspace.reader.graph_of_run(self.id))

    @cached_property
    def steps(self) -> Named[StepRun]:
        """The steps by name, in the order in which they started; then those that were skipped."""
        found: Named[StepRun] = Named("step", f"run {self.id!r}")
        records = self._workspace.reader.step_runs(self.id)
        addresses = {
            artifact: f"{self.pipeline}::{record.name}::{output}"
            for record in records
            for output, group in record.outputs.items()
            for artifact in group
        }
        if self.status == "crashed":
            records = [
                dataclasses.replace(record, status="crashed")
                if record.status == "running"
                else record
                for record in records
            ]
        if self.status not in ("running", "completed"):
            started = {record.name for record in records}
            records += [
                skipped_step(name, self._record)
                for name in self._record.steps
                if name not in started
            ]
        for record in records:
            found[record.name] = StepRun(record, self._record, self._catalog, addresses)
        return found

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of all steps, by ``<step>.<metric>``."""
        return {
            f"{name}.{metric}": value
            for name, step in self.steps.items()
            for metric, value in step.metrics.items()
        }

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of all steps, by ``<step>.<parameter>``."""
        return {
            f"{name}.{parameter}": value
            for name, step in self.steps.items()
            for parameter, value in step.parameters.items()
        }

    def __repr__(self) -> str:
        return f"Run({self.id!r}, pipeline={self.pipeline!r}, status={self.status!r})"
