"""Nine nodes, of which the last one trains: what `changed_trainer.py` runs."""

import argparse
from pathlib import Path

from zentfx import (
    CSVDatasource,
    RandomSplit,
    Repository,
    SchemaStep,
    StandardPreprocessor,
    StatisticsStep,
    TrainerStep,
    TrainingPipeline,
)


def trainer(lr: float) -> TrainerStep:
    """The step that is changed."""
    return TrainerStep(epochs=1, lr=lr, hidden_layers=[16], last_activation="linear")


def build(folder: Path, csv: Path, lr: float) -> TrainingPipeline:
    """The six usual nodes before the trainer, two more, and the trainer."""
    pipeline = TrainingPipeline(name="Changed", repository=Repository(folder))
    pipeline.add_datasource(CSVDatasource(name="taxi", path=csv))
    pipeline.add_split(RandomSplit(split_map={"train": 0.7, "eval": 0.3}, seed=0))
    pipeline.add_preprocessor(
        StandardPreprocessor(features=["trip_miles", "fare"], labels=["tips"])
    )
    pipeline.add_trainer(trainer(lr))
    pipeline.add_step(StatisticsStep(), "split_statistics", {"examples": "split.split_examples"})
    pipeline.add_step(SchemaStep(), "split_schema", {"statistics": "split_statistics.statistics"})
    return pipeline


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("csv", type=Path)
    parser.add_argument("lr", type=float)
    args = parser.parse_args()
    run = build(args.folder, args.csv, args.lr).run()
    states = [step.status for step in run.steps.values()]
    assert states.count("cached") in (0, 8), states


if __name__ == "__main__":
    main()
