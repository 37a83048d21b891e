"""Progress of a run on stderr: a line a step."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from zentfx.errors import ParameterTypeError
from zentfx.orchestrators import Listener, StepEvent

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["shown"]

# Of ECMA-48: red 31, green 32, yellow 33, blue 34, cyan 36.
_COLORS = {
    "running": 36,
    "completed": 32,
    "cached": 34,
    "failed": 31,
    "canceled": 33,
    "skipped": 33,
}


@contextlib.contextmanager
def shown(progress: Listener | bool | None, steps: Sequence[str]) -> Iterator[Listener]:
    """Within it, the progress of one run is shown.

    On a terminal, what runs and what waits is kept up to date below the lines of what has ended.
    Elsewhere (in CI, in a notebook, in a file) each change of a step's state is a line.

    Args:
        progress: True to show it on stderr; False or None for silence; or who is to be told.
        steps: Names of the steps in the order of the run.

    Yields:
        Who is told of each change of a step's state.

    Raises:
        ParameterTypeError: If ``progress`` is something else.
    """
    if progress is not None and not isinstance(progress, bool) and not callable(progress):
        raise ParameterTypeError(
            f"progress must be True, False, None or a function; {progress!r} came."
        )
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda event: None
    elif (handle := _terminal()) is not None:
        # A step that runs in this process may have stderr redirected into its log; not this one.
        with os.fdopen(os.dup(handle), "w", encoding="utf-8") as terminal:
            display = _Display(terminal, steps)
            try:
                yield display
            finally:
                display.close()
    else:
        yield _write_line


def _terminal() -> int | None:
    """The file descriptor of stderr, if that is a terminal that can be drawn on."""
    try:
        drawn = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        return sys.stderr.fileno() if drawn else None
    except (AttributeError, OSError, ValueError):  # none, closed, or one that some IDE made
        return None


def _write_line(event: StepEvent) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{_line(event)}\n")


def _line(event: StepEvent) -> str:
    seconds = f"{event.seconds:7.1f} s" if event.seconds else ""
    message = event.message.splitlines()[0] if event.message else ""
    return f"  {event.step:<16} {event.state:<10}{seconds} {message}".rstrip()


class _Display:
    """Lines for steps that have ended; below them, live, those that run and wait.

    rich is imported when the first step runs elsewhere: a run that reuses everything goes without.

    Args:
        terminal: Where it is shown.
        steps: Names of the steps.
    """

    def __init__(self, terminal: TextIO, steps: Sequence[str]) -> None:
        self._terminal = terminal
        self._waiting = list(steps)
        self._running: dict[str, float] = {}
        self._live: Any = None

    def __call__(self, event: StepEvent) -> None:
        """Shows a change of a step's state."""
        if event.step in self._waiting:
            self._waiting.remove(event.step)
        if event.state != "running":
            self._running.pop(event.step, None)
            if self._live is not None:
                self._live.refresh()  # before its line, or it would run on below that for a moment
            self._print(event)
        elif event.in_process:
            # It may print, or stop in a debugger: nothing must be drawn over that.
            self._pause()
            self._print(event)
        else:
            self._running[event.step] = time.monotonic()
            self._resume()

    def _print(self, event: StepEvent) -> None:
        line = _colored(event)
        if self._live is None:
            self._terminal.write(f"{line}\n")
            self._terminal.flush()
        else:
            from rich.text import Text

            self._live.console.print(Text.from_ansi(line), soft_wrap=True)

    def _resume(self) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._terminal)
            self._live = Live(
                console=console,
                get_renderable=self._unfinished,
                refresh_per_second=1,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.refresh()

    def _unfinished(self) -> Text:
        from rich.text import Text

        now = time.monotonic()
        lines = [
            _colored(StepEvent(name, "running", now - started))
            for name, started in list(self._running.items())  # rich asks from a thread
        ]
        lines += [_line(StepEvent(name, "waiting")) for name in list(self._waiting)]
        return Text.from_ansi("\n".join(lines), no_wrap=True, overflow="ellipsis")

    def _pause(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def close(self) -> None:
        """Leaves the lines of what has ended."""
        self._pause()


def _colored(event: StepEvent) -> str:
    line, state = _line(event), event.state
    if "NO_COLOR" in os.environ or state not in _COLORS:
        return line
    place = line.index(f" {state}", 2 + len(event.step)) + 1
    return f"{line[:place]}\x1b[{_COLORS[state]}m{state}\x1b[0m{line[place + len(state) :]}"
