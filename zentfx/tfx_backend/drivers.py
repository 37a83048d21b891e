"""The driver of our nodes: takes what must not count out of TFX's cache key.

TFX registers an execution with all its parameters, then runs the node's driver, then computes the
cache key from the parameters as the driver left them. So what is dropped here is recorded, and has
no influence on the cache.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from zentfx.light_imports import light_imports
from zentfx.stores.artifacts import ArtifactStore
from zentfx.tfx_backend.located import with_located_inputs
from zentfx.tfx_backend.nodes import unkeyed_names

with light_imports():
    from tfx.dsl.components.base import base_driver
    from tfx.orchestration.portable import base_driver as portable_base_driver
    from tfx.orchestration.portable import base_driver_operator, cache_utils
    from tfx.proto.orchestration import driver_output_pb2, executable_spec_pb2

__all__ = ["KEY_DRIVER", "DriverOperator", "KeyDriver"]

_log = logging.getLogger(__name__)


def _drop_unkeyed(exec_properties: dict[str, Any]) -> None:
    # In place: this is the launcher's own dict.
    for name in unkeyed_names(exec_properties):
        exec_properties.pop(name, None)


class KeyDriver(base_driver.BaseDriver, portable_base_driver.BaseDriver):
    """Drops the parameters that the node lists as not keyed.

    It has two bases because the compiler asks for one class and the launcher for another.
    """

    def __init__(self, mlmd_connection: Any) -> None:
        portable_base_driver.BaseDriver.__init__(self, mlmd_connection)

    def run(self, execution_info: Any) -> driver_output_pb2.DriverOutput:
        """Called by the launcher, between registering the execution and looking for a hit."""
        _drop_unkeyed(execution_info.exec_properties)
        return driver_output_pb2.DriverOutput()


KEY_DRIVER = f"{KeyDriver.__module__}.{KeyDriver.__qualname__}"


class DriverOperator(base_driver_operator.BaseDriverOperator):
    """Drops for every node; runs a driver of the node's own after that, as TFX does.

    Then it looks whether TFX would find a hit that must not be used: if so it switches the node's
    cache off, which is what the launcher looks at next. The result of such a run counts as a hit
    later.

    A driver's class is imported here, when it runs. TFX does it when it looks at a node.

    Args:
        driver_spec: The driver.
        mlmd_connection: TFX's connection to the metadata store.
        executor_spec: The node's executor, which is part of the cache key.
        refuse: Says why outputs of an earlier execution, as TFX artifacts by name, must not be
            used, or None.
        artifacts: The artifact store.
    """

    SUPPORTED_EXECUTABLE_SPEC_TYPE: ClassVar = [executable_spec_pb2.PythonClassExecutableSpec]

    def __init__(
        self,
        driver_spec: Any,
        mlmd_connection: Any,
        executor_spec: Any,
        refuse: Callable[[Mapping[str, Any]], str | None],
        artifacts: ArtifactStore,
    ) -> None:
        super().__init__(driver_spec, mlmd_connection)
        self._executor_spec = executor_spec
        self._refuse = refuse
        self._artifacts = artifacts

    def run_driver(self, execution_info: Any) -> driver_output_pb2.DriverOutput:
        """Called by the launcher."""
        _drop_unkeyed(execution_info.exec_properties)
        output = driver_output_pb2.DriverOutput()
        if self._driver_spec.class_path != KEY_DRIVER:
            from tfx.orchestration.portable import python_driver_operator

            output = python_driver_operator.PythonDriverOperator(
                self._driver_spec, self._mlmd_connection
            ).run_driver(with_located_inputs(execution_info, self._artifacts))
        caching = execution_info.pipeline_node.execution_options.caching_options
        # What a driver of somebody's own plans to write cannot be told here.
        if caching.enable_cache and not output.output_artifacts:
            reason = self._refusal(execution_info, output)
            if reason is not None:
                _log.info("The cached result is not used: %s.", reason)
                caching.enable_cache = False
        return output

    def _refusal(self, execution_info: Any, output: driver_output_pb2.DriverOutput) -> str | None:
        changed = {
            name: getattr(value, value.WhichOneof("value"))
            for name, value in output.exec_properties.items()
        }
        with self._mlmd_connection as handle:
            context = cache_utils.get_cache_context(
                metadata_handle=handle,
                pipeline_node=execution_info.pipeline_node,
                pipeline_info=execution_info.pipeline_info,
                executor_spec=self._executor_spec,
                input_artifacts=execution_info.input_dict,
                output_artifacts=execution_info.output_dict,
                parameters={**execution_info.exec_properties, **changed},
            )
            outputs = cache_utils.get_cached_outputs(handle, context)
        return None if outputs is None else self._refuse(outputs)
