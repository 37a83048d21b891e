"""A plain TFX component with a parameter called like one of the step that wraps it."""

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types.component_spec import ChannelParameter, ExecutionParameter


class Report(types.Artifact):
    TYPE_NAME = "Report"


class OwnSpec(types.ComponentSpec):
    PARAMETERS = {"path": ExecutionParameter(type=str)}
    INPUTS = {}
    OUTPUTS = {"report": ChannelParameter(type=Report)}


class OwnExecutor(base_executor.BaseExecutor):
    def Do(self, input_dict, output_dict, exec_properties):  # noqa: N802
        output_dict["report"][0].set_string_custom_property("came", exec_properties["path"])


class OwnComponent(base_component.BaseComponent):
    SPEC_CLASS = OwnSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(OwnExecutor)

    def __init__(self, path):
        super().__init__(OwnSpec(path=path, report=types.Channel(type=Report)))
