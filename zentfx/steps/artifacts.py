"""What a step's own method sees of its inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zentfx import materializers

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
