"""The pipeline that `killed.py` kills, and what it announces on the way.

Four steps: two of plain Python, whose execution and publishing zentfx does, and two that bring a
TFX component of their own, which go through TFX's Launcher to a worker process.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zentfx import BaseStep, Pipeline, Repository, StepRun

IDLE = 0.002  # seconds
PHASES = ("driver", "executor", "publish", "rename")


class Write(BaseStep):
    """Writes a text, slowly."""

    inputs = {"before": "Text"}
    optional_inputs = frozenset({"before"})
    outputs = {"after": "Text"}

    def __init__(self, text: str, seed: int):
        self.text = text
        self.seed = seed

    def process(self, inputs, outputs):
        """Half of it first."""
        file = outputs["after"].path / "text"
        file.write_text("half")
        time.sleep(0.05)
        file.write_text(self.text)


class Copy(BaseStep):
    """Does the same with a TFX component of its own."""

    inputs = {"before": "Text"}
    outputs = {"after": "Text"}

    def __init__(self, own_text: str, seed: int):
        self.own_text = own_text
        self.seed = seed

    def build_component(self, channels):
        """TFX is imported when zentfx has imported what it needs of it, which is less."""
        from killed_component import CopyComponent

        return CopyComponent(channels["before"], self.own_text)


def build(repository: Repository, seed: int) -> Pipeline:
    """Four steps in a row, which a new seed makes compute all again."""
    pipeline = Pipeline("Killed", repository=repository)
    before = None
    for name, kind in (("one", Write), ("two", Copy), ("three", Write), ("four", Copy)):
        inputs = {} if before is None else {"before": f"{before}.after"}
        pipeline.add_step(kind(f"{name} {seed} whole", seed), name, inputs)
        before = name
    return pipeline


def content_of(step: StepRun) -> str:
    """What a step has written."""
    return (Path(step.outputs["after"].uri) / "text").read_text()


def announced(owner: Any, name: str, phase: str, write: int, read: int) -> None:
    """Lets a function tell when it begins and ends, and wait for leave to begin.

    It also idles before and after what it does: who kills it from outside is not quick enough to
    meet a rename, say.
    """
    function: Callable[..., Any] = getattr(owner, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        os.write(write, f"begin {phase}\n".encode())
        os.read(read, 1)
        try:
            time.sleep(IDLE)
            result = function(*args, **kwargs)
            time.sleep(IDLE)
            return result
        finally:
            os.write(write, f"end {phase}\n".encode())

    setattr(owner, name, call)


def run_announced(folder: str, seed: int, write: int, read: int) -> None:
    """Runs the pipeline, and announces the phases of its steps.

    Args:
        folder: The repository's folder.
        seed: A parameter of all steps.
        write: File descriptor for announcements.
        read: Another, from which one byte is read before each phase.
    """
    from zentfx.tfx_backend import launch, operators, plan

    # TFX's module, as the Launcher and zentfx call it.
    tfx_publish = launch.execution_publish_utils
    announced(plan.Planner, "plan", "driver", write, read)
    announced(tfx_publish, "register_execution", "driver", write, read)
    announced(operators, "execute", "executor", write, read)  # of plain steps
    announced(operators.WorkerProcess, "execute", "executor", write, read)
    announced(tfx_publish, "publish_succeeded_execution", "publish", write, read)
    announced(plan, "publish_reused", "publish", write, read)
    announced(Path, "replace", "rename", write, read)
    build(Repository(folder), seed).run(progress=None)
