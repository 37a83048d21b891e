"""The taxi pipeline from nothing, and once more over its own results: stock TFX and zentfx.

Each round gives every side an empty work folder; the side's script then runs twice in it, each
time in a fresh process. Installing and compiling are not measured, the imports are.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Sample, run_once, side_options, summarize, table
from taxi_data import write_taxi_csv

_HERE = Path(__file__).parent
_SCRIPTS = {
    "stock-expert": _HERE / "stock_expert.py",
    "stock-tutorial": _HERE / "stock_tutorial.py",
    "zentfx": _HERE / "zentfx_taxi.py",
}
_RUNS = ("cold", "again")


def pip_environment(folder: Path) -> dict[str, str]:
    """Variables that let `python -m pip` work, which stock TFX calls to install a module_file.

    Environments that uv made have no pip; nothing is installed into them, but into `folder`.
    """
    # It would ask the network whether there is a newer pip, on the tutorial side's account.
    environment = {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if importlib.util.find_spec("pip") is None:
        subprocess.run(
            [sys.executable, "-m", "ensurepip", "--root", folder], check=True, capture_output=True
        )
        site_packages = next(folder.rglob("pip/__main__.py")).parent.parent
        path = [str(site_packages), os.environ.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    return environment


def measure_side(name: str, csv: Path, work_dir: Path, env: dict[str, str]) -> list[Sample]:
    """Runs a side's script twice in an empty folder, and checks that it pushed a model."""
    command = [sys.executable, _SCRIPTS[name], "--work-dir", work_dir, "--csv", csv]
    samples = [run_once(command, env) for _ in _RUNS]
    if not any((work_dir / "pushed").rglob("saved_model.pb")):
        raise RuntimeError(f"{name} did not do the work: there is no model in its pushed folder")
    return samples


def main() -> None:
    """Prints a table for the cold runs and one for the second runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    side_options(parser, _SCRIPTS, rows=10_000, repeats=3)
    args = parser.parse_args()

    taken: dict[str, dict[str, list[Sample]]] = {
        run: {name: [] for name in args.sides} for run in _RUNS
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        csv = write_taxi_csv(folder / "csv" / "taxi.csv", args.rows)
        env = pip_environment(folder / "pip") if "stock-tutorial" in args.sides else {}
        for repeat in range(args.repeats):
            for name in args.sides:
                samples = measure_side(name, csv, folder / f"{name}-{repeat}", env)
                for run, sample in zip(_RUNS, samples, strict=True):
                    taken[run][name].append(sample)
    summaries = {run: summarize(samples, args.sides[0]) for run, samples in taken.items()}
    for run, summary in summaries.items():
        print(table(run, summary), end="\n\n")
    if args.json:
        args.json.write_text(json.dumps(summaries, indent=2) + "\n")


if __name__ == "__main__":
    main()
