"""What all executors share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from tfx.orchestration.portable import outputs_utils
from tfx.proto.orchestration import execution_result_pb2

from zentfx.errors import DataError
from zentfx.parameters import canonical_json
from zentfx.records.encoding import chunked, joined
from zentfx.records.schema import Artifact, Execution
from zentfx.running_step import running_in
from zentfx.steps.base import BaseStep
from zentfx.steps.input_files import input_digests
from zentfx.steps.metric_log import collecting
from zentfx.tfx_backend.executors.metrics import METRICS_TYPE, write_log
from zentfx.tfx_backend.nodes import all_parameters
from zentfx.tfx_backend.session import READS, current, rebuild_step

__all__ = ["StepExecutor", "note"]

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
        # Once more here, for TFX's own runner, which does not put back what the driver dropped.
        node = self._context.pipeline_node
        properties = {**all_parameters(node), **exec_properties}
        step = cast(Step, rebuild_step(node.node_info.id, properties))
        metrics = [
            artifact
            for artifacts in output_dict.values()
            for artifact in artifacts
            if artifact.type_name == METRICS_TYPE
        ]
        session = current()
        root = session.root if session is not None else Path.cwd()
        # TFX gives executors the execution's id under this name.
        number = int(self._context._unique_id)
        with (
            running_in(root, str(properties.get(Execution.RUN, "")), number) as running,
            collecting(type(step).__name__, recorded=bool(metrics)) as log,
        ):
            self.run_step(step, input_dict, output_dict, properties)
        if log.history:
            write_log(metrics[0], log)
        _check_unchanged(step, properties)
        if running.remarks:
            for artifact in (item for items in output_dict.values() for item in items):
                note(artifact, Artifact.REMARKS, running.remarks)
        result = execution_result_pb2.ExecutorOutput()
        outputs_utils.populate_output_artifact(result, output_dict)
        if running.reads:
            result.execution_properties[READS].string_value = json.dumps(
                list(running.reads.items())
            )
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


def note(artifact: Any, name: str, value: Any) -> None:
    """Records a value on an artifact, as JSON text that every store can hold.

    Args:
        artifact: The TFX artifact.
        name: The property.
        value: JSON data.
    """
    for key, text in chunked(name, canonical_json(value)).items():
        artifact.set_string_custom_property(key, text)


def _check_unchanged(step: BaseStep, properties: dict[str, Any]) -> None:
    """Fails the step if its input files changed while it ran.

    Their digests are in the cache key, and were taken before: results of other content must not be
    found under them.
    """
    recorded = json.loads(joined(Execution.DIGESTS, properties) or "{}")
    changed = [name for name, digest in input_digests(step).items() if recorded.get(name) != digest]
    if changed:
        raise DataError(
            f"{type(step).__name__}: the content of {', '.join(changed)} changed while the step "
            "ran. Run the pipeline again."
        )
