"""The taxi pipeline when nothing has changed: everything is reused, by stock TFX and by zentfx.

Each side gets a work folder and runs once, unmeasured; then the sides take turns in running again,
each time in a fresh process, from the import to the exit. The stock pipeline of the tutorial is
never all cached: its Resolver runs again, and what depends on it. zentfx is measured twice, with
its progress in a file and on a terminal.
"""

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path

from cold_pipeline import pip_environment
from measure import run_once, side_options, summarize, table, take_turns
from taxi_data import write_taxi_csv

_HERE = Path(__file__).parent
_SIDES = {
    "stock-expert": ("stock_expert.py", False),
    "stock-tutorial": ("stock_tutorial.py", False),
    "zentfx": ("zentfx_taxi.py", False),
    "zentfx-terminal": ("zentfx_taxi.py", True),
}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    side_options(parser, _SIDES, rows=1_000, repeats=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        csv = write_taxi_csv(folder / "csv" / "taxi.csv", args.rows)
        env = pip_environment(folder / "pip") if "stock-tutorial" in args.sides else {}
        sides = {}
        for name in args.sides:
            script, terminal = _SIDES[name]
            command = [sys.executable, _HERE / script, "--work-dir", folder / name, "--csv", csv]
            run_once(command, env)
            sides[name] = partial(run_once, command, env, terminal)
        summary = summarize(take_turns(sides, args.repeats), args.sides[0])
    print(table("again", summary))
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
