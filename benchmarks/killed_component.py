"""A TFX component of somebody's own, for `killed_pipeline.py`: it goes through TFX's Launcher."""

import time
from pathlib import Path

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types.component_spec import ChannelParameter, ExecutionParameter


class Text(types.Artifact):
    """A file with a text."""

    TYPE_NAME = "Text"


class CopySpec(types.ComponentSpec):
    """One text in, one out."""

    PARAMETERS = {"text": ExecutionParameter(type=str)}
    INPUTS = {"before": ChannelParameter(type=Text)}
    OUTPUTS = {"after": ChannelParameter(type=Text)}


class CopyExecutor(base_executor.BaseExecutor):
    """Writes its text, slowly."""

    def Do(self, input_dict, output_dict, exec_properties):  # noqa: N802 - TFX's name
        """Called by TFX."""
        file = Path(output_dict["after"][0].uri) / "text"
        file.write_text("half")
        time.sleep(0.05)
        file.write_text(exec_properties["text"])


class CopyComponent(base_component.BaseComponent):
    """The component."""

    SPEC_CLASS = CopySpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(CopyExecutor)

    def __init__(self, before, text):
        super().__init__(CopySpec(before=before, text=text, after=types.Channel(type=Text)))
