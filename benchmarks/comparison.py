"""All training runs of a large store as a DataFrame: raw SQL against zentfx.

The sides' tables are equal, which is asserted first. Make the store by `large_store`.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
from measure import run_once, summarize, table, take_turns

_HERE = Path(__file__).parent
_SIDES = {
    "one SQL query": [_HERE / "comparison_sql.py"],
    "zentfx": [_HERE / "comparison_zentfx.py"],
    "zentfx, over MLMD's API": [_HERE / "comparison_zentfx.py", "--api"],
}


def assert_equal_tables(folder: Path) -> int:
    """Makes the table on every side; says how many rows it has."""
    with tempfile.TemporaryDirectory() as place:
        frames = []
        for number, command in enumerate(_SIDES.values()):
            saved = Path(place, f"{number}.pkl")
            run_once([sys.executable, *command, folder, "--save", saved])
            frames.append(pd.read_pickle(saved))
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frames[0], frame, check_exact=True)
    return len(frames[0])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a repository that large_store made")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    rows = assert_equal_tables(args.folder)
    sides = {
        name: lambda command=command: run_once([sys.executable, *command, args.folder])
        for name, command in _SIDES.items()
    }
    summary = summarize(take_turns(sides, args.repeats), baseline="one SQL query")
    print(table(f"{rows:,} runs", summary))
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
