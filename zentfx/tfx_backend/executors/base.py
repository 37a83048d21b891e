"""What all executors share."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from tfx.orchestration import data_types_utils
from tfx.orchestration.portable import inputs_utils, outputs_utils
from tfx.proto.orchestration import execution_result_pb2

from zentfx.steps.base import BaseStep
from zentfx.tfx_backend.worker import rebuild_step

__all__ = ["StepExecutor"]

Step = TypeVar("Step", bound=BaseStep)


class StepExecutor(Generic[Step]):
    """Mixed in before a TFX executor: rebuilds the step, then lets :meth:`run_step` work."""

    _context: Any

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> execution_result_pb2.ExecutorOutput:
        """Called by TFX's executor operator.

        Args:
            input_dict: Input artifacts by name.
            output_dict: Output artifacts by name.
            exec_properties: The keyed parameters: our driver dropped the others.

        Returns:
            The outputs. It is returned, and not left to TFX to make, because TFX would then write
            the parameters a second time, bools as ints.
        """
        # The node has all parameters, those that the driver dropped included.
        properties = data_types_utils.build_parsed_value_dict(
            inputs_utils.resolve_parameters_with_schema(self._context.pipeline_node.parameters)
        )
        step = cast(Step, rebuild_step(properties))
        self.run_step(step, input_dict, output_dict, properties)
        result = execution_result_pb2.ExecutorOutput()
        outputs_utils.populate_output_artifact(result, output_dict)
        return result

    def run_step(
        self,
        step: Step,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        properties: dict[str, Any],
    ) -> None:
        """Does the work; by default, that of the TFX executor that this class is mixed into.

        Args:
            step: The rebuilt step.
            input_dict: Input artifacts by name.
            output_dict: Output artifacts by name.
            properties: All parameters.
        """
        super().Do(input_dict, output_dict, properties)  # type: ignore[misc]
