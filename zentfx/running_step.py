"""The step that is running in this process: where its repository is, and what it looks up there.

Standard library only.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["NO_ARTIFACT", "RunningStep", "remark", "running_in", "running_step"]

_log = logging.getLogger(__name__)

NO_ARTIFACT = 0  # no id of MLMD's


@dataclass
class RunningStep:
    """A step that is running.

    Attributes:
        root: The folder of its run's repository.
        run: Id of the run.
        execution: Its execution's id in MLMD; None where it is not recorded.
        reads: Artifacts that it has looked up, by their id in MLMD: under what name, and whether
            it will be the same one the next time, as a version that was named is. What it has
            searched is under ``NO_ARTIFACT``.
        remarks: Sentences about its result, for people; recorded with its outputs.
    """

    root: Path
    run: str
    execution: int | None = None
    reads: dict[int, tuple[str, bool]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def read(self, artifact_id: int, name: str, pinned: bool) -> None:
        """Notes that it has looked up an artifact.

        Args:
            artifact_id: Its id in MLMD.
            name: Its name.
            pinned: Whether the look-up names this one for ever.
        """
        _, before = self.reads.get(artifact_id, ("", True))
        self.reads[artifact_id] = (name, pinned and before)

    def search(self, name: str) -> None:
        """Notes that it has asked for all of some kind: there may be others the next time.

        Args:
            name: What it has asked.
        """
        self.reads[NO_ARTIFACT] = (name, False)


# Of the process, not of a context: a step may have threads of its own, and steps run one at a time
# in a process. The last is the current one.
_running: list[RunningStep] = []


def running_step() -> RunningStep | None:
    """The step that runs in this process; None outside of steps."""
    return _running[-1] if _running else None


def remark(text: str) -> None:
    """Says something about the result of the step that runs: in its log, and with its outputs.

    Args:
        text: A sentence.
    """
    _log.info("%s", text)
    step = running_step()
    if step is not None and text not in step.remarks:
        step.remarks.append(text)


@contextlib.contextmanager
def running_in(root: Path, run: str, execution: int | None = None) -> Iterator[RunningStep]:
    """Within it, a step runs.

    Args:
        root: The folder of its run's repository.
        run: Id of the run.
        execution: Its execution's id in MLMD.

    Yields:
        What becomes known of it.
    """
    step = RunningStep(root, run, execution)
    _running.append(step)
    try:
        yield step
    finally:
        _running.remove(step)
