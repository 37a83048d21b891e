"""A DataFrame of 1,000,000 rows by 20 columns: saved and loaded by zentfx, and by Parquet alone."""

import argparse
import sys
import tempfile
from pathlib import Path

from measure import run_once, summarize, table, take_turns

_ROWS = 1_000_000
_NUMBERS = 16
_TEXTS = 4


def make(folder: Path) -> Path:
    """Writes the frame that both sides begin with, as a pickle."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(_ROWS, _NUMBERS))).add_prefix("number_")
    for index in range(_TEXTS):
        words = np.array([f"word {number}" for number in range(1000)], dtype=object)
        frame[f"text_{index}"] = words[random.integers(0, 1000, _ROWS)]
    file = folder / "frame.pkl"
    frame.to_pickle(file)
    return file


def main() -> None:
    """Prints the table; with a side, does that side's work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side", choices=("parquet", "zentfx", "neither"))
    parser.add_argument("--file", type=Path)
    args = parser.parse_args()
    if args.side:
        work(args.side, args.file)
        return
    with tempfile.TemporaryDirectory() as place:
        file = make(Path(place))
        sides = {
            name: lambda name=name: run_once(
                [sys.executable, __file__, "--side", name, "--file", file]
            )
            for name in ("neither", "parquet", "zentfx")
        }
        summary = summarize(take_turns(sides, args.repeats), baseline="parquet")
        print(table("1,000,000 x 20", summary))
        neither, parquet, zentfx = (
            summary["sides"][name]["cpu_s"]["median"] for name in ("neither", "parquet", "zentfx")
        )
        ratio = (zentfx - neither) / (parquet - neither)
        print(f"\nWithout starting Python, importing pandas and reading the pickle: {ratio:.2f}")


def work(side: str, file: Path) -> None:
    """Saves and loads the frame once."""
    import pandas as pd

    frame = pd.read_pickle(file)
    folder = Path(tempfile.mkdtemp(dir=file.parent))
    if side == "parquet":
        frame.to_parquet(folder / "x.parquet", engine="pyarrow")
        found = pd.read_parquet(folder / "x.parquet", engine="pyarrow")
    elif side == "zentfx":
        from zentfx.steps.artifacts import InputArtifact, OutputArtifact

        output = OutputArtifact("zentfx.Dataset", str(folder))
        output.save(frame)
        found = InputArtifact(output.type, output.uri, dict(output.metadata)).load()
    else:
        return
    assert found.shape == frame.shape


if __name__ == "__main__":
    main()
