"""Progress of a run, as plain lines."""

from __future__ import annotations

import sys

from zentfx.orchestrators import StepEvent

__all__ = ["print_event"]


def print_event(event: StepEvent) -> None:
    """Prints one line to stderr.

    Args:
        event: What happened.
    """
    seconds = f"{event.seconds:7.1f} s" if event.seconds else ""
    message = event.message.splitlines()[0] if event.message else ""
    line = f"  {event.step:<16} {event.state:<10}{seconds} {message}".rstrip()
    sys.stderr.write(f"{line}\n")
