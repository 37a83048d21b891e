"""The driver of our nodes: takes what must not count out of TFX's cache key.

TFX registers an execution with all its parameters, then runs the node's driver, then computes the
cache key from the parameters as the driver left them. So what is dropped here is recorded, and has
no influence on the cache.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from zentfx.records.encoding import joined
from zentfx.records.schema import Execution
from zentfx.tfx_backend.sdk import light_imports

with light_imports():
    from tfx.dsl.components.base import base_driver
    from tfx.orchestration.portable import base_driver as portable_base_driver
    from tfx.orchestration.portable import base_driver_operator
    from tfx.proto.orchestration import driver_output_pb2, executable_spec_pb2

__all__ = ["DriverOperator", "KeyDriver"]


def _drop_unkeyed(exec_properties: dict[str, Any]) -> None:
    # In place: this is the launcher's own dict.
    names = json.loads(joined(Execution.UNKEYED, exec_properties) or "[]")
    lists = [name for name in exec_properties if name.startswith(Execution.UNKEYED)]
    for name in [*names, *lists]:
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


class DriverOperator(base_driver_operator.BaseDriverOperator):
    """Drops for every node; runs a driver of the node's own after that, as TFX does.

    A driver's class is imported here, when it runs. TFX does it when it looks at a node.
    """

    SUPPORTED_EXECUTABLE_SPEC_TYPE: ClassVar = [executable_spec_pb2.PythonClassExecutableSpec]

    def run_driver(self, execution_info: Any) -> driver_output_pb2.DriverOutput:
        """Called by the launcher."""
        _drop_unkeyed(execution_info.exec_properties)
        if self._driver_spec.class_path == f"{KeyDriver.__module__}.{KeyDriver.__qualname__}":
            return driver_output_pb2.DriverOutput()
        from tfx.orchestration.portable import python_driver_operator

        operator = python_driver_operator.PythonDriverOperator(
            self._driver_spec, self._mlmd_connection
        )
        return operator.run_driver(execution_info)
