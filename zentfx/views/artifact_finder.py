"""Finds artifacts: by name and version, by id, by address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zentfx.errors import NotFoundError, near_matches
from zentfx.records.models import ArtifactRecord
from zentfx.records.reader import Reader
from zentfx.records.schema import Artifact
from zentfx.running_step import running_step
from zentfx.steps.node import ArtifactReference
from zentfx.views.artifact import ArtifactVersion

if TYPE_CHECKING:
    from zentfx.views.catalog import Catalog

__all__ = ["ArtifactFinder"]

_ADDRESS = "::"


class ArtifactFinder:
    """Finds single artifacts of a catalog.

    Args:
        catalog: What is recorded.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @property
    def _reader(self) -> Reader:
        return self._catalog.workspace.reader

    def looked_up(self, name_or_id: str | int, version: str | int | None = None) -> ArtifactVersion:
        """One artifact; a step that is running is noted to have read it, or to have found none.

        By a name alone such a step finds what was there before its run: which steps of the run have
        written by now depends on what is reused, and a new model is compared with the one before.

        Args:
            name_or_id: See :meth:`artifact`.
            version: See :meth:`artifact`.

        Returns:
            The artifact.

        Raises:
            NotFoundError: If there is none; names near matches.
        """
        try:
            found = self._before_this_run(name_or_id) if version is None else None
            found = found or self.artifact(name_or_id, version)
        except NotFoundError:
            self._catalog.workspace.note_search(f"{name_or_id!r}")  # there may be one the next time
            raise
        by_id = str(found.id) == str(name_or_id)
        found._note_read(pinned=by_id or version is not None)
        return found

    def _before_this_run(self, name: str | int) -> ArtifactVersion | None:
        """The latest version of a name that the run of the step that is running did not write.

        None outside of steps, and for what is no name.
        """
        step = running_step()
        if step is None or step.root != self._catalog.workspace.root or not isinstance(name, str):
            return None
        found = self._reader.artifact_versions(name)
        for record in reversed(found):
            origin = self._catalog.origin(record.id)
            if origin is None or origin.run != step.run:
                return self._catalog.views([record])[0]
        if found:
            raise NotFoundError(
                f"There is no version of the artifact {name!r} from before this run. What a step "
                "of the same run writes, give to this one as an input."
            )
        return None

    def artifact(
        self, name_or_id: str | int | ArtifactVersion, version: str | int | None = None
    ) -> ArtifactVersion:
        """One artifact.

        Args:
            name_or_id: Its name, its id in MLMD, or an address ``pipeline::step::output``, which
                means what that pipeline's latest completed run wrote or reused.
            version: The version of that name; None for the latest.

        Returns:
            The artifact.

        Raises:
            NotFoundError: If there is none; names near matches.
        """
        if isinstance(name_or_id, ArtifactVersion):
            return name_or_id
        if not isinstance(name_or_id, (str, int)) or isinstance(name_or_id, bool):
            raise NotFoundError(
                f"There is no artifact {name_or_id!r}: expected a name, an id, or an address "
                "'pipeline::step::output'."
            )
        if isinstance(name_or_id, str):
            record = self._named(name_or_id, None if version is None else str(version))
            if record is not None:
                return self._catalog.views([record])[0]
        if version is not None:
            self.versions(str(name_or_id))
        if isinstance(name_or_id, str) and not name_or_id.isdecimal():
            return self._addressed(name_or_id)
        number = int(name_or_id)
        found = self._reader.artifacts([number] if abs(number) < 2**63 else [])
        if not found:
            raise NotFoundError(f"There is no artifact with the id {name_or_id}.")
        return self._catalog.views(found.values())[0]

    def versions(self, name: str) -> list[ArtifactRecord]:
        """The versions of a name, oldest first.

        Args:
            name: The name.

        Returns:
            The records.

        Raises:
            NotFoundError: If there is no such name; names near matches.
        """
        found = self._reader.artifact_versions(name)
        if not found:
            near = near_matches(name, self._reader.artifact_names())
            raise NotFoundError(f"There is no artifact called {name!r}.{near}")
        return found

    def _named(self, name: str, version: str | None) -> ArtifactRecord | None:
        """A version of a named artifact; None where nothing has the name."""
        found = self._reader.artifact_versions(name)
        if not found:
            return None
        if version is None:
            return found[-1]
        versions = {str(item.properties[Artifact.VERSION]): item for item in found}
        if version not in versions:
            near = near_matches(version, versions)
            raise NotFoundError(f"The artifact {name!r} has no version {version!r}.{near}")
        return versions[version]

    def referenced(self, reference: ArtifactReference) -> ArtifactRecord:
        """The artifact that a pipeline's wiring names.

        Args:
            reference: Its name and version, or its id.

        Returns:
            The record.

        Raises:
            NotFoundError: If there is none.
        """
        if reference.name is None:
            return self.artifact(reference.id or 0)._record
        return self.artifact(reference.name, reference.version)._record

    def _addressed(self, address: str) -> ArtifactVersion:
        parts = address.rsplit(_ADDRESS, 2)
        if len(parts) != 3:
            known = self._reader.artifact_names()
            raise NotFoundError(
                f"There is no artifact {address!r}: expected a name, an id, or an address "
                f"'pipeline::step::output'.{near_matches(address, known) if known else ''}"
            )
        pipeline, step, output = parts
        done = self._catalog.runs(pipeline=pipeline, status="completed")
        if not done:
            raise NotFoundError(f"The pipeline {pipeline!r} has no completed run.")
        return done[-1].steps[step].outputs[output]
