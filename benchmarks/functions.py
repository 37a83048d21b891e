"""Six pandas and scikit-learn steps: first run, all cached, and with a new trainer."""

import argparse
import itertools
import json
import shutil
import sys
import tempfile
from pathlib import Path

from measure import run_once, summarize, table, take_turns

_HERE = Path(__file__).parent
_PLAIN = [sys.executable, _HERE / "sklearn_script.py"]
_IMPORTS = [sys.executable, "-c", f"import sys; sys.path[:0] = ['{_HERE}']; import sklearn_script"]
_OURS = [sys.executable, _HERE / "sklearn_zentfx.py"]
_LATE = [sys.executable, _HERE / "sklearn_zentfx_late.py"]
_RAN, _CACHED = "co" * 6, "ca" * 6


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folders = itertools.count()
        trees = itertools.count(21)  # a number that no run has had yet, each takes a bit longer
        warm = Path(place, "warm")
        run_once([*_OURS, warm, "--expect", _RAN])

        def first() -> object:
            folder = Path(place, str(next(folders)))
            taken = run_once([*_OURS, folder, "--expect", _RAN])
            shutil.rmtree(folder)
            return taken

        sides = {
            "plain script": lambda: run_once(_PLAIN),
            "its imports alone": lambda: run_once(_IMPORTS),
            "zentfx, first run": first,
            "zentfx, all cached": lambda: run_once([*_OURS, warm, "--expect", _CACHED]),
            "zentfx, new trainer": lambda: run_once(
                [*_OURS, warm, "--trees", str(next(trees)), "--expect", "ca" * 4 + "co" * 2]
            ),
        }
        summary = summarize(take_turns(sides, args.repeats), baseline="plain script")
    print(table("six steps", summary))
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
