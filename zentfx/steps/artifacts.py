"""What a step's own method sees of its inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zentfx import environment, materializers
from zentfx.materializers import values
from zentfx.parameters import canonical_json
from zentfx.records.encoding import chunked
from zentfx.records.schema import Artifact
from zentfx.stores.digests import digest_of

__all__ = ["InputArtifact", "OutputArtifact"]


@dataclass(frozen=True)
class InputArtifact:
    """An input of a step.

    Attributes:
        type: The artifact's type, for example ``Examples``.
        uri: Where its files are.
        metadata: Its recorded properties, for example ``split_names``.
    """

    type: str
    uri: str
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The folder with the files."""
        return Path(self.uri)

    def load(self) -> Any:
        """Loads the content as a Python object; see :func:`zentfx.materializers.load`."""
        return materializers.load(self.type, self.uri, self.metadata)


@dataclass
class OutputArtifact:
    """An output of a step: a folder to write to, and metadata to record with it.

    Attributes:
        type: The artifact's type.
        uri: The folder, which exists and is empty.
        metadata: Values to record on the artifact: str, int and float.
    """

    type: str
    uri: str
    metadata: dict[str, str | int | float] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The folder to write to."""
        return Path(self.uri)

    def save(self, value: Any, annotation: Any = None) -> None:
        """Saves a Python value, by the materializer of its type.

        Args:
            value: The value.
            annotation: What it was declared to be; None where it was not.

        Raises:
            DataError: If it cannot be saved.
        """
        saved = values.save(value, annotation, self.path)
        self.metadata.update(saved.metadata)
        self.metadata[Artifact.MATERIALIZER] = saved.materializer
        self.metadata[Artifact.PYTHON_TYPE] = saved.python_type
        self.metadata[Artifact.DIGEST] = digest_of(self.path)
        if saved.pickled:
            self.metadata[Artifact.PICKLED] = 1
        if saved.pickled or saved.packages:
            versions = environment.package_versions(saved.packages)
            self.metadata.update(chunked(Artifact.ENVIRONMENT, canonical_json(versions)))
