"""Deployment of a model to a folder that a model server watches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from zentfx.steps.artifacts import InputArtifact
from zentfx.steps.base import BaseStep

__all__ = ["Pusher"]


class Pusher(BaseStep):
    """Copies a model to ``<folder>/<version>``, as TensorFlow Serving expects; wraps TFX's Pusher.

    The version is the time of the push, in seconds since the epoch. If the pipeline's evaluator has
    thresholds, only a model that it blessed is pushed; without thresholds every model is.

    Args:
        folder: The folder that the model server watches. A relative one starts from the working
            directory of the process that runs the pipeline.
    """

    wraps = "Pusher"
    inputs = MappingProxyType({"model": "Model", "model_blessing": "ModelBlessing"})
    optional_inputs = frozenset({"model_blessing"})
    outputs = MappingProxyType({"pushed_model": "PushedModel"})
    reserved = frozenset({"push_destination", "custom_config"})

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def reusable(self, outputs: Mapping[str, InputArtifact]) -> bool:
        """Whether the earlier push is still the one that a server would take: the newest version.

        A folder that was emptied is pushed to again, and so is one that got another model since.
        """
        pushed = outputs["pushed_model"].metadata
        if not pushed.get("pushed"):
            return True  # the model was not blessed, so there is nothing to repeat
        return max(self.versions(), default=None) == int(pushed["pushed_version"])

    def versions(self) -> list[int]:
        """The versions that the folder has now."""
        folder = Path(self.folder).expanduser()
        return [int(item.name) for item in folder.glob("*") if item.name.isdigit()]

    def check(self) -> None:
        """Checks that a folder is named."""
        super().check()
        if not self.folder:
            raise self.refuse("folder", "must name a folder; '' came.")
