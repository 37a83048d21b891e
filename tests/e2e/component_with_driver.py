"""A TFX component with a driver of its own, which opens its input; TFX's Launcher has to run it."""

from pathlib import Path

from tfx import types
from tfx.dsl.components.base import base_component, base_driver, base_executor, executor_spec
from tfx.orchestration.portable import base_driver as portable_base_driver
from tfx.proto.orchestration import driver_output_pb2
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter

from zentfx import BaseStep


class Spec(types.ComponentSpec):
    PARAMETERS = {}
    INPUTS = {"statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics)}
    OUTPUTS = {"report": ChannelParameter(type=standard_artifacts.ExampleAnomalies)}


class Executor(base_executor.BaseExecutor):
    def Do(self, input_dict, output_dict, exec_properties):  # noqa: N802 - TFX's name
        text = Path(input_dict["statistics"][0].uri, "s.txt").read_text(encoding="utf-8")
        Path(output_dict["report"][0].uri, "r.txt").write_text(text * 2, encoding="utf-8")


class Driver(base_driver.BaseDriver, portable_base_driver.BaseDriver):
    def __init__(self, mlmd_connection):
        portable_base_driver.BaseDriver.__init__(self, mlmd_connection)

    def run(self, execution_info):
        assert Path(execution_info.input_dict["statistics"][0].uri, "s.txt").is_file()
        return driver_output_pb2.DriverOutput()


class Component(base_component.BaseComponent):
    SPEC_CLASS = Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(self, statistics):
        report = types.Channel(type=standard_artifacts.ExampleAnomalies)
        super().__init__(Spec(statistics=statistics, report=report))


class Counted(BaseStep):
    outputs = {"statistics": "ExampleStatistics"}

    def process(self, inputs, outputs):
        (outputs["statistics"].path / "s.txt").write_text("s", encoding="utf-8")


class Reported(BaseStep):
    inputs = {"statistics": "ExampleStatistics"}
    outputs = {"report": "ExampleAnomalies"}

    def build_component(self, channels):
        return Component(channels["statistics"])
