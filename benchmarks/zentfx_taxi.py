"""The taxi pipeline in zentfx: the same work as the stock sides, nine steps."""

from pathlib import Path

from taxi_arguments import parse_arguments

from zentfx import (
    CSVDatasource,
    Pusher,
    RandomSplit,
    Repository,
    StandardPreprocessor,
    TFMAEvaluator,
    TrainerStep,
    TrainingPipeline,
)


def create_pipeline(work_dir: Path, csv: Path, epochs: int, lr: float) -> TrainingPipeline:
    """The pipeline over one CSV file, with everything it writes under `work_dir`."""
    pipeline = TrainingPipeline(name="Pipeline A", repository=Repository(work_dir))
    pipeline.add_datasource(CSVDatasource(name="taxi", path=csv))
    pipeline.add_split(RandomSplit(split_map={"train": 0.7, "eval": 0.3}, seed=0))
    pipeline.add_preprocessor(
        StandardPreprocessor(features=["trip_miles", "fare"], labels=["tips"])
    )
    pipeline.add_trainer(
        TrainerStep(epochs=epochs, lr=lr, hidden_layers=[16], last_activation="linear")
    )
    pipeline.add_evaluator(
        TFMAEvaluator(metrics={"tips": ["mean_squared_error"]}, slices=[["company"]])
    )
    pipeline.add_pusher(Pusher(folder=str(work_dir / "pushed")))
    return pipeline


if __name__ == "__main__":
    create_pipeline(**parse_arguments(__doc__)).run()
