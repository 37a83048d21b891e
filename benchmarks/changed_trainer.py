"""One changed trainer behind eight nodes that are reused, against the trainer alone.

The trainer alone is a process that imports it and trains, on the same data, to the same model. What
zentfx takes beyond that is for planning, recording and the second process. It is measured in a new
store and in one that the pipeline has run in many times.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from changed_trainer_pipeline import build
from measure import Sample, run_once, summarize, table, take_turns
from taxi_data import write_taxi_csv

from zentfx import Repository, Run

_HERE = Path(__file__).parent


class Learning:
    """Learning rates that no run has had."""

    def __init__(self) -> None:
        self._count = 0

    def rate(self) -> str:
        """The next one."""
        self._count += 1
        return f"{0.01 + self._count / 100_000:.5f}"


def places_of(run: Run, folder: Path) -> Path:
    """Writes down where the trainer's inputs are."""
    inputs = run.steps["trainer"].inputs
    places = {name: inputs[name].uri for name in ("examples", "transform_graph", "schema")}
    file = folder / "places.json"
    file.write_text(json.dumps({**places, "folder": str(folder)}))
    return file


def main() -> None:
    """Prints a table for each store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--executions", type=int, default=2_000, help="in the full store")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    learning = Learning()
    summaries = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        csv = write_taxi_csv(folder / "csv" / "taxi.csv", args.rows)
        work = folder / "work"
        work.mkdir()
        script = _HERE / "changed_trainer_pipeline.py"

        def changed() -> Sample:
            return run_once([sys.executable, script, work, csv, learning.rate()])

        first = learning.rate()
        run_once([sys.executable, script, work, csv, first])
        places = places_of(Repository(work).get_runs()[-1], folder)

        def alone() -> Sample:
            return run_once([sys.executable, _HERE / "trainer_alone.py", places, learning.rate()])

        client = Repository(work).workspace.metadata.connect()
        for least in (0, args.executions):
            while len(client.get_executions()) < least:
                build(work, csv, float(first)).run(progress=None)
            count = len(client.get_executions())
            taken = take_turns(
                {"the trainer alone": alone, "changed trainer": changed}, args.repeats
            )
            summaries[count] = summarize(taken, "the trainer alone")
            print(table(f"{count} executions in the store", summaries[count]), end="\n\n")
    if args.json:
        args.json.write_text(json.dumps(summaries, indent=2) + "\n")


if __name__ == "__main__":
    main()
