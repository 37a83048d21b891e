"""What one more step costs: reused, and run as plain Python; in a new store and in a full one.

A chain of 110 steps and one of 10 run in fresh processes that take turns; the difference of their
CPU seconds, by 100, is the cost of a step.
"""

import argparse
import json
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

from chain import build
from measure import run_once, take_turns

from zentfx import Repository

# Imported, and not run as a script: its class would be that of another module, and never reused.
_CHAIN = (
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import chain; chain.main()"
)
_SHORT, _LONG = 10, 110


def executions(folder: Path) -> int:
    """How many executions a repository's store has."""
    return len(Repository(folder).workspace.metadata.connect().get_executions())


def fill(folder: Path, least: int) -> None:
    """Runs the long chain, which is all reused, until the store has so many executions."""
    for _ in range(0, least, _LONG):
        build(folder, _LONG).run(progress=None)


def cost(folder: Path, repeats: int, *options: str) -> float:
    """CPU milliseconds of one more step."""
    sides = {
        steps: partial(run_once, [sys.executable, "-c", _CHAIN, folder, str(steps), *options])
        for steps in (_SHORT, _LONG)
    }
    taken = take_turns(sides, repeats)
    short, long = (
        statistics.median(sample.cpu_s for sample in taken[steps]) for steps in (_SHORT, _LONG)
    )
    return (long - short) / (_LONG - _SHORT) * 1000


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--executions", type=int, default=10_000, help="in the full store")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "new"
        folder.mkdir()
        for steps in (_SHORT, _LONG):
            build(folder, steps).run(progress=None)
        for least in (0, args.executions):
            fill(folder, least)
            before = executions(folder)
            reused = cost(folder, args.repeats)
            run = cost(folder, args.repeats, "--no-cache")
            found.append({"executions": before, "reused_ms": reused, "run_ms": run})
    print(
        "| executions in the store | CPU ms, reused step | CPU ms, step that runs |\n|---|---|---|"
    )
    for row in found:
        print(f"| {row['executions']:,} | {row['reused_ms']:.1f} | {row['run_ms']:.1f} |")
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
