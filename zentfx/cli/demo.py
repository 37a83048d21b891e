"""``zentfx demo``: trains two models on taxi data, and compares them."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from zentfx import (
    CSVDatasource,
    Pipeline,
    Pusher,
    RandomSplit,
    Repository,
    Run,
    StandardPreprocessor,
    TFMAEvaluator,
    TrainerStep,
    TrainingPipeline,
)
from zentfx.errors import MissingDependencyError

__all__ = ["build_pipeline", "change_the_trainer", "demo", "taxi_data"]

# Inside TFX's wheel: 15,000 taxi trips in Chicago, published by the city.
_TAXI_DATA = Path("examples/chicago_taxi_pipeline/data/simple/data.csv")


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("zentfx-demo"),
    show_default=True,
    help="Where to keep the data, the repository and the pushed model.",
)
def demo(folder: Path) -> None:
    """Trains two models on 15,000 taxi trips, and compares them.

    Example: zentfx demo --folder /tmp/demo
    """
    console = Console()
    folder = folder.absolute()
    data = taxi_data(folder)
    first = build_pipeline(data, folder)
    console.print(f"[bold]{first.name}[/] on {data}, in nine TFX nodes:")
    run = first.run()
    _show(console, run)
    second = change_the_trainer(Repository(folder))
    console.print(
        f"\n[bold]{second.name}[/]: a copy with another trainer. What comes before it is reused, "
        "through TFX's own cache:"
    )
    again = second.run()
    reused = [name for name, step in again.steps.items() if step.status == "cached"]
    console.print(f"Reused: {', '.join(reused)}.\n", highlight=False)
    comparison = Repository(folder).compare_training_runs()
    console.print(str(comparison), highlight=False, markup=False, soft_wrap=True)
    _show_next(console, folder, again, comparison.save(folder / "compare.html"))


def build_pipeline(data: Path, folder: Path) -> TrainingPipeline:
    """The demo's pipeline.

    Args:
        data: The CSV file.
        folder: The repository's folder, and where the model is pushed below.

    Returns:
        The pipeline.
    """
    pipeline = TrainingPipeline(name="Pipeline A", repository=Repository(folder))
    pipeline.add_datasource(CSVDatasource(name="taxi", path=data))
    pipeline.add_split(RandomSplit(split_map={"train": 0.7, "eval": 0.3}, seed=0))
    pipeline.add_preprocessor(
        StandardPreprocessor(features=["trip_miles", "fare"], labels=["tips"])
    )
    pipeline.add_trainer(
        TrainerStep(epochs=1, lr=0.01, hidden_layers=[16], last_activation="linear")
    )
    pipeline.add_evaluator(
        TFMAEvaluator(metrics={"tips": ["mean_squared_error"]}, slices=[["company"]])
    )
    pipeline.add_pusher(Pusher(folder=str(folder / "serving" / "taxi")))
    return pipeline


def change_the_trainer(repository: Repository) -> Pipeline:
    """What the demo shows next: finds the first pipeline, copies it, changes one step.

    Args:
        repository: The repository.

    Returns:
        The copy.
    """
    copied = repository.get_pipeline_by_name("Pipeline A").copy("Pipeline B")
    trainer = TrainerStep(epochs=1, lr=0.02, hidden_layers=[16], last_activation="linear")
    copied.add_step(trainer, "trainer")
    return copied


def taxi_data(folder: Path) -> Path:
    """A copy of the demo's data, which the user may edit; made once.

    Args:
        folder: The repository's folder.

    Returns:
        The CSV file.

    Raises:
        MissingDependencyError: If full TFX is not installed.
    """
    target = folder / "data" / "taxi.csv"
    if not target.exists():
        spec = importlib.util.find_spec("tfx")
        found = [
            Path(place) / _TAXI_DATA for place in getattr(spec, "submodule_search_locations", [])
        ]
        source = next((file for file in found if file.is_file()), None)
        if source is None:
            raise MissingDependencyError(
                "The demo's data lies in TFX's wheel, and full TFX is not installed: "
                'pip install "zentfx[tfx]".'
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        shutil.copyfile(source, partial)
        partial.replace(target)
    return target


def _show(console: Console, run: Run) -> None:
    steps = Table("step", "status", "seconds", "wrote", title=f"Run {run.id}: {run.status}")
    for step in run.steps.values():
        outputs = ", ".join(f"{name} ({item.type})" for name, item in step.outputs.items())
        steps.add_row(step.name, step.status, f"{step.duration:.1f}", outputs)
    console.print(steps)
    parameters = Table("parameter", "value", title="The trainer's parameters, read from MLMD")
    for name, value in run.steps["trainer"].parameters.items():
        parameters.add_row(name, repr(value))
    console.print(parameters)
    metrics = run.steps["evaluator"].outputs["zentfx_metrics"].load()
    for name, value in metrics["overall"].items():
        console.print(f"{name} on the eval split: [bold]{value:.4f}[/]")


def _show_next(console: Console, folder: Path, run: Run, page: Path) -> None:
    console.print(
        f"\nThe comparison:   {page}\n"
        f"The pushed model: {folder / 'serving' / 'taxi'}\n"
        f"The MLMD store:   {folder / '.zentfx' / 'metadata.db'}\n\n"
        "Next: open the page in a browser. Run this again, and nothing is computed again (the two "
        "models are pushed in turn). Or go on:\n",
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        "  from zentfx import Repository, TrainerStep\n"
        f"  repo = Repository({str(folder)!r})\n"
        f"  model = repo.get_pipeline_run({run.id!r})"
        '.steps["trainer"].outputs["model"].load()\n'
        "  model.predict(rows)   # a DataFrame with the columns trip_miles and fare\n"
        '  c = repo.get_pipeline_by_name("Pipeline B").copy("Pipeline C")\n'
        '  c.add_trainer(TrainerStep(epochs=2, lr=0.005, last_activation="linear"))\n'
        "  c.run()\n"
        "  repo.compare_training_runs()",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
