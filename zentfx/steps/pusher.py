"""Deployment of a model to a folder that a model server watches."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

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

    def reusable(self) -> bool:
        """Whether the folder has a version; if not, an earlier push is gone and is repeated."""
        folder = Path(self.folder).expanduser()
        return folder.is_dir() and any(item.name.isdigit() for item in folder.iterdir())

    def check(self) -> None:
        """Checks that a folder is named."""
        super().check()
        if not self.folder:
            raise self.refuse("folder", "must name a folder; '' came.")
