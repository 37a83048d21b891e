"""Single questions to a large store: the latest runs, one run's steps, an artifact's lineage.

In one process, after the first question, which loads modules: milliseconds of its CPU time, the
median of several. By SQL, and over MLMD's API. Make the store by `large_store`.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zentfx import Repository


def questions(repository: Repository) -> dict[str, Callable[[], Any]]:
    """What is asked, by name; each answer is checked once."""
    latest = repository.get_runs(newest=50)
    assert len(latest) == 50
    run = next(run for run in reversed(latest) if run.status == "completed")
    model = run.steps["trainer"].outputs["model"]
    assert {step.name for step in model.upstream().steps} > {"datasource", "trainer"}
    assert [step.name for step in model.downstream().steps] == ["evaluator"]
    return {
        "the latest 50 runs": lambda: repository.get_runs(newest=50),
        "one run's steps": lambda: repository.get_pipeline_run(run.id).steps,
        "a run's graph": lambda: str(repository.get_pipeline_run(run.id).graph()),
        "how a model came to be": lambda: str(model.upstream()),
        "what was made from a model": lambda: str(model.downstream()),
    }


def median_ms(ask: Callable[[], Any], repeats: int) -> float:
    """Milliseconds of CPU time."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        ask()
        times.append(time.process_time() - begun)
    return 1000 * statistics.median(times)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a repository that large_store made")
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    repository = Repository(args.folder)
    asked = questions(repository)
    by_sql = {name: median_ms(ask, args.repeats) for name, ask in asked.items()}
    client = repository.mlmd  # as long as it is held, the store is not read by SQL
    over_api = {name: median_ms(ask, args.repeats) for name, ask in asked.items()}
    del client
    print("| question | by SQL, ms | over MLMD's API, ms |\n|---|---|---|")
    for name in asked:
        print(f"| {name} | {by_sql[name]:.1f} | {over_api[name]:.1f} |")


if __name__ == "__main__":
    main()
