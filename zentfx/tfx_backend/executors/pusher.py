"""Pushes a model; the stock executor."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tfx.components.pusher import executor as pusher
from tfx.components.util import model_utils

from zentfx.errors import DataError
from zentfx.materializers.models import SERVING
from zentfx.records.encoding import joined
from zentfx.records.schema import Artifact
from zentfx.running_step import remark
from zentfx.steps.pusher import Pusher
from zentfx.stores.locks import exclusive
from zentfx.tfx_backend.executors.base import StepExecutor
from zentfx.tfx_backend.hits import as_input

__all__ = ["PusherExecutor"]

# A version that is further in the future is not from a push of a moment ago.
_LONGEST_WAIT = 60  # seconds


class PusherExecutor(StepExecutor[Pusher], pusher.Executor):
    """Stock, once the second has come that its version is called after.

    TFX calls a version by the second, and skips a push where there is one of that name: of two
    pushes within a second, the later would be lost. So pushes to a folder take turns.
    """

    def run_step(
        self,
        step: Pusher,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        blessing = input_dict.get("model_blessing")
        if blessing and not model_utils.is_model_blessed(blessing[0]):
            why = json.loads(joined(Artifact.VERDICT, as_input(blessing[0]).metadata) or "null")
            remark(f"Not pushed, because the model was {why or 'not blessed'}.")
            super().run_step(step, input_dict, output_dict, properties)  # pushes nothing
            return
        model = Path(input_dict["model"][0].uri)
        if not (model / SERVING).is_dir():
            raise DataError(
                f"{model} has no folder {SERVING}, which is what is pushed. Let the step that "
                "writes the model export a SavedModel there."
            )
        folder = Path(step.folder).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(folder):
            newest = max(step.versions(), default=0)
            if newest > time.time() + _LONGEST_WAIT:
                raise DataError(
                    f"{step.folder} has a version {newest}, which is a second in the future: a "
                    "model server would go on to take that one. Remove it, or push to another "
                    "folder."
                )
            while int(time.time()) <= newest:
                time.sleep(0.05)
            super().run_step(step, input_dict, output_dict, properties)
