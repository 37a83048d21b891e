"""What opening a repository costs, against Python itself and against importing ml_metadata.

Each side is a fresh process; the repository is a new one every time.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from measure import Sample, run_once, summarize, table, take_turns

_SIDES = {
    "bare Python": "pass",
    "import ml_metadata": "import ml_metadata",
    "open a repository": "import sys, zentfx; zentfx.Repository(sys.argv[1])",
}


def measure_side(code: str) -> Sample:
    """Runs the code with an empty folder as its argument."""
    with tempfile.TemporaryDirectory() as folder:
        return run_once([sys.executable, "-c", code, folder])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    sides = {name: lambda code=code: measure_side(code) for name, code in _SIDES.items()}
    # Unmeasured: the first round reads files into memory and compiles what is new.
    take_turns(sides, 1)
    summary = summarize(take_turns(sides, args.repeats), baseline="import ml_metadata")
    print(table("side", summary))
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
