"""The command line that every side of the taxi benchmark understands."""

import argparse
from pathlib import Path
from typing import Any


def parse_arguments(description: str) -> dict[str, Any]:
    """Reads `work_dir` and `csv` (absolute paths), `epochs` and `lr` from the command line."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work-dir", type=Path, required=True, help="everything is written here")
    parser.add_argument("--csv", type=Path, required=True, help="the taxi trips")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--lr", type=float, default=0.01)
    args = vars(parser.parse_args())
    # TFX takes relative paths as text and hands them on, so they would depend on who reads them.
    return args | {"work_dir": args["work_dir"].resolve(), "csv": args["csv"].resolve()}
