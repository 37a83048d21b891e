"""What the inputs of steps read, and whether that fits together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from zentfx.errors import PipelineError, near_matches
from zentfx.steps.base import ANYTHING, BaseStep
from zentfx.steps.list_inputs import elements, whole
from zentfx.steps.node import ArtifactReference, OutputReference, PlacedStep
from zentfx.views.artifact import ArtifactVersion

__all__ = ["Source", "check_input_names", "connected", "placed_step"]

# What an input reads.
Source = str | OutputReference | ArtifactReference | ArtifactVersion


def placed_step(
    step: BaseStep, name: str, inputs: Mapping[str, Any], after: Iterable[str]
) -> PlacedStep:
    """Puts a step into its place.

    Args:
        step: The step.
        name: Its name, for messages.
        inputs: What its inputs read: ``"step.output"``, a reference, or an artifact; a list of
            these for an input of a function that takes one.
        after: Names of further steps that it waits for.

    Returns:
        The step in its place.

    Raises:
        PipelineError: If it has no such input, or one is connected to something else.
    """
    references: dict[str, OutputReference] = {}
    artifacts: dict[str, ArtifactReference] = {}
    sources = list(elements(inputs))
    check_input_names(step, name, [key for key, _ in sources])
    for key, source in sources:
        if isinstance(source, ArtifactVersion):
            root = source._catalog.workspace.root
            artifacts[key] = (
                ArtifactReference(id=source.id, root=root)
                if source.version is None
                else ArtifactReference(source.name, source.version, root=root)
            )
        elif isinstance(source, ArtifactReference):
            artifacts[key] = source
        else:
            try:
                references[key] = OutputReference.parse(source)
            except PipelineError as error:
                raise PipelineError(f"Input {key!r} of step {name!r}: {error}") from error
    step = step.completed([*references, *artifacts])
    return PlacedStep(step, references, artifacts, tuple(dict.fromkeys(after)))


def check_input_names(step: BaseStep, name: str, inputs: Iterable[str]) -> None:
    """Checks that a step has inputs of these names.

    Args:
        step: The step.
        name: Its name, for messages.
        inputs: The names.

    Raises:
        PipelineError: If it has not; names near matches.
    """
    for key in inputs:
        listed = whole(str(key))
        if key not in step.inputs and listed in step.inputs:
            raise PipelineError(
                f"Input {listed!r} of step {name!r} ({type(step).__name__}) takes one output; only "
                "arguments of functions take lists of them.",
                part=[name, "inputs", listed],
            )
        if key not in step.inputs:
            raise PipelineError(
                f"The step {name!r} ({type(step).__name__}) has no input {key!r}."
                f"{near_matches(str(key), step.inputs)}",
                part=[name, "inputs", str(key)],
            )


def connected(
    placed: Mapping[str, PlacedStep],
    implied: Mapping[str, Mapping[str, str]],
    hint: Callable[[str], str],
) -> dict[str, dict[str, OutputReference]]:
    """Connects steps, and checks that they fit together.

    Args:
        placed: The steps, by name.
        implied: What inputs read by themselves, as ``"step.output"``, by step and input.
        hint: Says of a step whose input is not connected what else its name may have been meant to
            be; for the message.

    Returns:
        What each input reads, by step and input; steps after those that they need.

    Raises:
        PipelineError: If a step or output does not exist, an input is not connected, types do not
            fit, or steps wait for each other.
    """
    wired = {
        name: _inputs_of(name, item, implied.get(name, {}), hint) for name, item in placed.items()
    }
    for name, inputs in wired.items():
        for key, reference in inputs.items():
            _check_reference(placed, name, key, reference)
        for step in placed[name].after:
            if step not in placed:
                raise PipelineError(
                    f"The step {name!r} is to run after {step!r}, but there is no such step."
                    f"{near_matches(step, placed)}",
                    part=[name, "after"],
                )
    needed = {
        name: {*(reference.step for reference in inputs.values()), *placed[name].after}
        for name, inputs in wired.items()
    }
    return {name: wired[name] for name in _ordered(needed)}


def _inputs_of(
    name: str, placed: PlacedStep, implied: Mapping[str, str], hint: Callable[[str], str]
) -> dict[str, OutputReference]:
    inputs = {
        key: OutputReference.parse(text)
        for key, text in implied.items()
        if key in placed.step.inputs and key not in placed.artifacts
    }
    inputs.update(placed.inputs)
    known = {*map(whole, inputs), *map(whole, placed.artifacts)}
    missing = [
        key
        for key in placed.step.inputs
        if key not in known and key not in placed.step.optional_inputs
    ]
    if missing:
        kind = placed.step.inputs[missing[0]]
        what = "" if kind == ANYTHING else f" ({kind})"
        raise PipelineError(
            f"The step {name!r} ({type(placed.step).__name__}) needs {missing[0]!r}"
            f"{what}, and nothing is connected to it.{hint(name)} "
            f'Add it with inputs={{"{missing[0]}": "<step>.<output>"}}.',
            part=[name],
        )
    return inputs


def _check_reference(
    placed: Mapping[str, PlacedStep], name: str, key: str, reference: OutputReference
) -> None:
    where, part = f"Input {key!r} of step {name!r}", [name, "inputs", key]
    source = placed.get(reference.step)
    if source is None:
        raise PipelineError(
            f"{where} reads {reference}, but there is no step {reference.step!r}."
            f"{near_matches(reference.step, placed)}",
            part=part,
        )
    outputs = source.step.outputs
    if reference.output not in outputs:
        raise PipelineError(
            f"{where} reads {reference}, but {reference.step!r} has no such output."
            f"{near_matches(reference.output, outputs)}",
            part=part,
        )
    wanted, came = placed[name].step.inputs[key], outputs[reference.output]
    if ANYTHING not in (wanted, came) and wanted != came:
        raise PipelineError(f"{where} takes {wanted}; {reference} is {came}.", part=part)


def _ordered(needed: Mapping[str, Collection[str]]) -> list[str]:
    """Steps after those that they need; otherwise in the given order."""
    done: dict[str, None] = {}
    waiting = dict(needed)
    while waiting:
        ready = next(
            (name for name in waiting if all(step in done for step in needed[name])),
            None,
        )
        if ready is None:
            raise PipelineError(
                f"These steps wait for each other: {', '.join(waiting)}.", part=list(waiting)[:1]
            )
        del waiting[ready]
        done[ready] = None
    return list(done)
