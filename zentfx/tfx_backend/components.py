"""Steps as TFX components.

The component of a step is made from data, not from the stock class, so that building it loads
neither TensorFlow nor Beam. Its spec is the stock one, wider by the step's parameters: constructor
keywords become ``ExecutionParameter`` objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zentfx.class_paths import class_path
from zentfx.errors import StepDefinitionError
from zentfx.light_imports import light_imports
from zentfx.orchestrators import RunRequest
from zentfx.parameters import canonical_json
from zentfx.records.encoding import chunked
from zentfx.records.schema import Execution
from zentfx.steps.base import ANYTHING
from zentfx.steps.function import FunctionStep
from zentfx.steps.node import Node
from zentfx.tfx_backend.drivers import KeyDriver
from zentfx.tfx_backend.families import Family, family_of
from zentfx.tfx_backend.properties import NodeProperties, node_properties
from zentfx.tfx_backend.specs import StockSpec, stock_spec

with light_imports():
    from tfx import types
    from tfx.dsl.components.base import base_component, base_driver, executor_spec
    from tfx.proto.orchestration import executable_spec_pb2
    from tfx.types import (
        artifact,
        component_spec,
        standard_artifacts,
        system_artifacts,
        system_executions,
    )
    from tfx.types.experimental import simple_artifacts

__all__ = ["component_for"]

# MLMD's base types, by the types of what functions return.
_BASE_TYPES = {f"zentfx.{name}": name for name in ("Dataset", "Model", "Statistics", "Metrics")}
_PARAMETER_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}


class _NamedExecutor(executor_spec.ExecutorClassSpec):
    """An executor by its class path; TFX's own spec would import the class to learn its name."""

    def __init__(self, path: str, beam: bool) -> None:
        self._path = path
        self._beam = beam

    @property
    def class_path(self) -> str:
        return self._path

    def encode(self, component_spec: Any = None) -> Any:
        plain = executable_spec_pb2.PythonClassExecutableSpec(class_path=self._path)
        if not self._beam:
            return plain
        return executable_spec_pb2.BeamExecutableSpec(python_executor_spec=plain)


def component_for(node: Node, channels: Mapping[str, Any], request: RunRequest) -> Any:
    """Makes the TFX component of a step.

    Args:
        node: The step in its place.
        channels: The connected inputs by name, as TFX output channels.
        request: The run that it is part of.

    Returns:
        A ``BaseComponent`` whose id is the step's name.

    Raises:
        StepDefinitionError: If the step's own component is not one.
    """
    ours = node_properties(node, request)
    component = node.step.build_component(channels)
    if component is not None and node.artifacts:
        raise StepDefinitionError(
            f"The step {node.name!r} ({type(node.step).__name__}) brings a TFX component of its "
            f"own, and cannot read {', '.join(map(repr, node.artifacts))} from an artifact that "
            "there is already. Let it read an output of a step."
        )
    if component is None:
        component = _derived_component(node, channels, ours)
    elif not isinstance(component, base_component.BaseComponent):
        raise StepDefinitionError(
            f"{type(node.step).__name__}.build_component must return a TFX component; "
            f"{type(component).__name__} came."
        )
    else:
        _track(component, ours)
    return component.with_id(node.name)


def _derived_component(node: Node, channels: Mapping[str, Any], ours: NodeProperties) -> Any:
    family = family_of(node.step)
    stock = _interface(node, family)
    properties = dict(family.properties(node.step))
    unkeyed = ours.unkeyed | family.unkeyed
    # Names of channels and of parameters share one namespace in a spec. A keyword that is called
    # like a channel (`metrics`, `schema`) becomes a property all the same, once the spec is made.
    declared = {
        name: value
        for name, value in ours.values.items()
        if name not in stock.inputs and name not in stock.outputs
    }
    # So do those of inputs and outputs; a function may give back under one name what it took.
    late = {name: channel for name, channel in channels.items() if name in stock.outputs}
    parameters = {
        name: component_spec.ExecutionParameter(type=_PARAMETER_TYPES[kind], optional=True)
        for name, (kind, _) in stock.parameters.items()
    } | {
        name: component_spec.ExecutionParameter(type=type(value), optional=True)
        for name, value in declared.items()
    }
    # TFX names the type of the node's executions after the component's class.
    module, _, name = class_path(type(node.step)).rpartition(".")
    spec_class = type(
        f"{name}Spec",
        (types.ComponentSpec,),
        {
            "__module__": module,
            "PARAMETERS": parameters,
            "INPUTS": _channel_parameters(
                {name: kind for name, kind in stock.inputs.items() if name not in late}
            ),
            "OUTPUTS": _channel_parameters(stock.outputs),
            "TYPE_ANNOTATION": getattr(system_executions, stock.base_type, None),
        },
    )
    component_class = type(
        name,
        (base_component.BaseComponent,),
        {
            "__module__": module,
            "SPEC_CLASS": spec_class,
            "EXECUTOR_SPEC": _NamedExecutor(family.executor, family.beam),
            "DRIVER_CLASS": KeyDriver,
        },
    )
    outputs = {
        name: types.Channel(type=_artifact_class(kind)) for name, (kind, _) in stock.outputs.items()
    }
    early = {name: channel for name, channel in channels.items() if name not in late}
    spec: Any = spec_class(**properties, **declared, **early, **outputs)
    spec.inputs.update(late)
    spec.INPUTS.update(_channel_parameters({name: stock.inputs[name] for name in late}))
    component = component_class(spec)
    component.spec.exec_properties.update(
        {name: value for name, value in ours.values.items() if name not in declared}
    )
    _list_unkeyed(component, unkeyed)
    return component


def _interface(node: Node, family: Family) -> StockSpec:
    """The stock spec with the step's own inputs and outputs.

    Only outputs that the step declares are made: Transform, for one, has optional outputs for
    statistics that it does not compute here.
    """
    step = node.step
    stock = stock_spec(family.stock) if family.stock else None
    base_type = stock.base_type if stock else family.base_type
    if isinstance(step, FunctionStep) and step.trains:
        base_type = "Train"
    optional = step.optional_inputs | {*node.artifacts}
    inputs = {
        name: (node.input_types.get(name, step.inputs[name]), name in optional)
        for name in dict.fromkeys([*step.inputs, *node.inputs])
        if step.inputs[name] != ANYTHING or name in node.inputs
    }
    return StockSpec(
        name=step.wraps,
        base_type=base_type,
        parameters=stock.parameters if stock else {},
        inputs=inputs,
        outputs={name: (kind, False) for name, kind in step.outputs.items()},
        beam=family.beam,
    )


def _channel_parameters(table: Mapping[str, tuple[str, bool]]) -> dict[str, Any]:
    return {
        name: component_spec.ChannelParameter(type=_artifact_class(kind), optional=optional)
        for name, (kind, optional) in table.items()
    }


_OWN_TYPES: dict[str, Any] = {}


def _artifact_class(name: str) -> type:
    """The artifact class of a type name: TFX's, or one made once for a name of the user's."""
    for module in (standard_artifacts, simple_artifacts):
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, artifact.Artifact):
            return found
    if name not in _OWN_TYPES:
        attributes = {"__module__": __name__, "TYPE_NAME": name}
        if name in _BASE_TYPES:
            attributes["TYPE_ANNOTATION"] = getattr(system_artifacts, _BASE_TYPES[name])
        _OWN_TYPES[name] = type(name, (artifact.Artifact,), attributes)
    return _OWN_TYPES[name]


def _track(component: Any, ours: NodeProperties) -> None:
    """Adds a step's parameters to a component of the user's own, besides those that it has."""
    properties = component.spec.exec_properties
    own = {name for name, value in properties.items() if value is not None}
    properties.update({name: value for name, value in ours.values.items() if name not in own})
    _list_unkeyed(component, ours.unkeyed - own)
    if component.driver_class is base_driver.BaseDriver:
        component.driver_class = KeyDriver


def _list_unkeyed(component: Any, names: frozenset[str]) -> None:
    """Tells the driver what to drop."""
    listed = chunked(Execution.UNKEYED, canonical_json(sorted(names)))
    component.spec.exec_properties.update(listed)
