"""Measures commands side by side: CPU seconds of the whole process tree, and peak memory.

Every run is a fresh process. Sides take turns (A B A B …), so that a machine that slows down or
speeds up meanwhile does so for all of them. Wall time is left out on purpose: it says more about
what else the machine did.

CPU seconds are user plus system time, of the command and of every descendant that was waited for;
a run that leaves processes of its group behind is an error, as their share would be missing. Peak
memory is that of the largest process, not the sum over processes.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Linux counts the memory of the process that forks in with that of the command it starts, so the
# one that starts it must be smaller than any command: a bare Python without site-packages.
_WRAPPER = """
import json, os, signal, sys, time
terminal, *command = sys.argv[1:]
to_log = [(os.POSIX_SPAWN_DUP2, 2, 1)]
if terminal == "terminal":
    import threading
    ours, theirs = os.openpty()
    to_log.append((os.POSIX_SPAWN_DUP2, theirs, 2))
    def drain():
        while data := os.read(ours, 65536):
            os.write(2, data)
    threading.Thread(target=drain, daemon=True).start()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=to_log, setpgroup=0)
try:
    _, status, usage = os.wait4(child, 0)
except BaseException:
    os.killpg(child, signal.SIGKILL)
    raise
left = True
for _ in range(50):  # helpers that end with the command may need a moment
    try:
        os.killpg(child, 0)
    except ProcessLookupError:
        left = False
        break
    time.sleep(0.1)
if left:
    os.killpg(child, signal.SIGKILL)
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), left, cpu, usage.ru_maxrss / 1024]))
"""

Command = Sequence[str | os.PathLike[str]]


@dataclass(frozen=True)
class Sample:
    """What one run took: CPU seconds of its process tree, MiB of its largest process."""

    cpu_s: float
    peak_mib: float


class RunFailedError(RuntimeError):
    """A measured command failed, or left processes behind."""


def run_once(
    command: Command, env: Mapping[str, str] | None = None, terminal: bool = False
) -> Sample:
    """Runs a command in a fresh process and says what it took.

    Args:
        command: The program and its arguments.
        env: Variables to set besides those of this process.
        terminal: Whether its stderr is a terminal.

    Raises:
        RunFailedError: With the end of what the command printed.
    """
    environment = {**os.environ, **(env or {})}
    # It would make every import of TFX compile TFX again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    wrapped = [sys.executable, "-I", "-S", "-c", _WRAPPER, "terminal" if terminal else "log"]
    wrapped += map(os.fspath, command)
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        done = subprocess.run(
            wrapped, stdout=subprocess.PIPE, stderr=log, env=environment, check=False
        )
        log.seek(0)
        end = "".join(log.readlines()[-30:])
    name = shlex.join(map(os.fspath, command))
    if done.returncode:
        raise RunFailedError(f"could not start: {name}\n{end}")
    code, left_processes, cpu_s, peak_mib = json.loads(done.stdout)
    if code:
        raise RunFailedError(f"exit code {code}: {name}\n{end}")
    if left_processes:
        raise RunFailedError(f"left processes running, which were not measured: {name}\n{end}")
    return Sample(cpu_s, peak_mib)


def take_turns(sides: Mapping[str, Callable[[], Sample]], repeats: int) -> dict[str, list[Sample]]:
    """Runs every side `repeats` times, one after the other in each round."""
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, run in sides.items():
            samples[name].append(run())
    return samples


def summarize(samples: Mapping[str, Sequence[Sample]], baseline: str) -> dict[str, Any]:
    """Median, smallest and largest figure of each side, and its ratio to the baseline's median."""
    summary: dict[str, Any] = {"baseline": baseline, "sides": {}}
    for name, taken in samples.items():
        side: dict[str, Any] = {"samples": [asdict(sample) for sample in taken]}
        for figure in ("cpu_s", "peak_mib"):
            values = [getattr(sample, figure) for sample in taken]
            base = statistics.median(getattr(sample, figure) for sample in samples[baseline])
            side[figure] = {
                "median": statistics.median(values),
                "min": min(values),
                "max": max(values),
                "ratio": statistics.median(values) / base if base else None,
            }
        summary["sides"][name] = side
    return summary


def table(title: str, summary: Mapping[str, Any]) -> str:
    """The summary as a Markdown table."""
    lines = [
        f"| {title} | CPU s | min to max | ratio | peak MiB | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for name, side in summary["sides"].items():
        cpu, peak = side["cpu_s"], side["peak_mib"]
        ratios = ["-" if f["ratio"] is None else f"{f['ratio']:.2f}" for f in (cpu, peak)]
        lines.append(
            f"| {name} | {cpu['median']:.2f} | {cpu['min']:.2f} to {cpu['max']:.2f} "
            f"| {ratios[0]} | {peak['median']:.0f} | {ratios[1]} |"
        )
    return "\n".join(lines)


def side_options(
    parser: argparse.ArgumentParser, sides: Iterable[str], rows: int, repeats: int
) -> None:
    """Adds the options of a benchmark that has named sides over so many rows."""
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--repeats", type=int, default=repeats)
    names = list(sides)
    parser.add_argument(
        "--sides", nargs="+", choices=names, default=names, help="the first one is the baseline"
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")


def main() -> None:
    """Measures the sides that the command line names; the first one is the baseline."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--side", nargs=2, action="append", required=True, metavar=("NAME", "COMMAND")
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    commands = {name: shlex.split(command) for name, command in args.side}
    sides = {name: lambda c=command: run_once(c) for name, command in commands.items()}
    summary = summarize(take_turns(sides, args.repeats), baseline=args.side[0][0])
    print(table("side", summary))
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
