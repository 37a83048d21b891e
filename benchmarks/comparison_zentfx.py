"""A comparison of all training runs by zentfx."""

import argparse
from pathlib import Path

from zentfx import Repository


def main() -> None:
    """Makes the table of a repository's runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--save", type=Path, help="write the table here")
    parser.add_argument("--api", action="store_true", help="read over MLMD's API, not by SQL")
    args = parser.parse_args()
    repository = Repository(args.folder)
    # While somebody in the process has the store open, it is not read by SQL.
    client = repository.mlmd if args.api else None
    frame = repository.compare_training_runs().to_dataframe()
    del client
    if args.save:
        frame.to_pickle(args.save)


if __name__ == "__main__":
    main()
