"""The Chicago taxi trips that the tfx wheel carries, in as many rows as a benchmark wants."""

import argparse
import importlib.util
import itertools
from pathlib import Path

_INSIDE_TFX = "examples/chicago_taxi_pipeline/data/simple/data.csv"


def taxi_csv() -> Path:
    """The path of the CSV (about 15,000 rows) in the installed tfx, which is not imported."""
    # find_spec on a top-level package only looks for it; on a submodule it would import tfx.
    spec = importlib.util.find_spec("tfx")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("tfx is not installed here: the taxi data lies in its wheel")
    for folder in spec.submodule_search_locations:
        path = Path(folder, _INSIDE_TFX)
        if path.is_file():
            return path
    raise FileNotFoundError(f"the installed tfx has no {_INSIDE_TFX}: install full tfx")


def write_taxi_csv(path: Path, rows: int) -> Path:
    """Writes the header and the first `rows` rows to `path`, over again if it takes more."""
    # No field holds a line break, so lines are rows.
    header, *lines = taxi_csv().read_bytes().splitlines(keepends=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(header)
        file.writelines(itertools.islice(itertools.cycle(lines), rows))
    return path


def main() -> None:
    """Writes a CSV of the asked size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=10_000)
    args = parser.parse_args()
    write_taxi_csv(args.path, args.rows)


if __name__ == "__main__":
    main()
