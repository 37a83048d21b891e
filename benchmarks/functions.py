"""Six pandas and scikit-learn steps: first run, all cached, and with a new trainer."""

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

from measure import Sample, run_once, summarize, table, take_turns

_HERE = Path(__file__).parent
_RAN, _CACHED, _NEW_TRAINER = "co" * 6, "ca" * 6, "ca" * 4 + "co" * 2
# What each needs besides the script's own packages. ZenML's integration asks for pandas 2.
_COMMON = ["scikit-learn==1.5.1", "numpy==1.26.4", "scipy==1.12.0"]
_PEERS = {
    "ZenML": ["zenml[local]==0.98.0", "pandas==2.0.3", "pyarrow==10.0.1", *_COMMON],
    "Dagster": ["dagster==1.13.29", "pandas==1.5.3", *_COMMON],
}

Sides = dict[str, Callable[[], Sample]]


def peer(name: str, folder: Path) -> str:
    """The Python of an environment with a peer, which is made if it is not there."""
    place = folder / name.lower()
    python = place / "bin" / "python"
    done = place / "installed"
    wanted = "\n".join(_PEERS[name])
    if not done.exists() or done.read_text() != wanted:
        venv.create(place, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *_PEERS[name]], check=True)
        done.write_text(wanted)
    return str(python)


def sides_of(name: str, command: list[str | Path], place: Path) -> Sides:
    """First run in a new folder, all cached, and a new trainer, of one script."""
    folders = itertools.count()
    trees = 20
    warm = place / f"warm {name}"
    run_once([*command, warm, "--expect", _RAN])

    def first() -> Sample:
        folder = place / f"{name} {next(folders)}"
        taken = run_once([*command, folder, "--expect", _RAN])
        shutil.rmtree(folder)
        return taken

    def cached() -> Sample:
        # As in the run before: Dagster knows no other.
        return run_once([*command, warm, "--trees", str(trees), "--expect", _CACHED])

    def new_trainer() -> Sample:
        nonlocal trees
        trees += 1  # what no run has had yet; each takes a bit longer
        return run_once([*command, warm, "--trees", str(trees), "--expect", _NEW_TRAINER])

    return {
        f"{name}, first run": first,
        f"{name}, all cached": cached,
        f"{name}, new trainer": new_trainer,
    }


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="FOLDER",
        help="measure ZenML and Dagster too, in environments that are made in this folder",
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    script = _HERE / "sklearn_script.py"
    imports = f"import sys; sys.path[:0] = [{str(_HERE)!r}]; import sklearn_script"
    sides: Sides = {
        "plain script": lambda: run_once([sys.executable, script]),
        "its imports alone": lambda: run_once([sys.executable, "-c", imports]),
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        sides |= sides_of("zentfx", [sys.executable, _HERE / "sklearn_zentfx.py"], place)
        late = [sys.executable, _HERE / "sklearn_zentfx_late.py"]
        sides |= sides_of("zentfx, imports in the steps", late, place)
        for name in _PEERS if args.peers else ():
            python = peer(name, args.peers)
            sides[f"plain script, packages of {name}"] = lambda p=python: run_once([p, script])
            sides |= sides_of(name, [python, _HERE / f"sklearn_{name.lower()}.py"], place)
        summary = summarize(take_turns(sides, args.repeats), baseline="plain script")
    print(table("six steps", summary))
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
