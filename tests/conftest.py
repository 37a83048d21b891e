"""What tests share: the taxi data, and one real run of the nine-step pipeline."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from zentfx import (
    CSVDatasource,
    Pusher,
    RandomSplit,
    Repository,
    Run,
    StandardPreprocessor,
    TFMAEvaluator,
    TrainerStep,
    TrainingPipeline,
)

# A property test may take its time on a machine that does something else besides.
settings.register_profile("zentfx", deadline=None)
settings.load_profile("zentfx")


def taxi_csv() -> Path:
    """The Chicago taxi data inside TFX's wheel."""
    spec = importlib.util.find_spec("tfx")
    [place] = spec.submodule_search_locations
    return Path(place) / "examples/chicago_taxi_pipeline/data/simple/data.csv"


def small_taxi_csv(folder: Path, rows: int) -> Path:
    """The first rows of the taxi data, as a file."""
    target = folder / "taxi.csv"
    lines = taxi_csv().read_text(encoding="utf-8").splitlines(keepends=True)
    target.write_text("".join(lines[: rows + 1]), encoding="utf-8")
    return target


def taxi_pipeline(name: str, data: Path, repository: Repository) -> TrainingPipeline:
    """The first half of the listing in the README, with a string feature too."""
    pipeline = TrainingPipeline(name=name, repository=repository)
    pipeline.add_datasource(CSVDatasource(name="taxi", path=data))
    pipeline.add_split(RandomSplit(split_map={"train": 0.7, "eval": 0.3}, seed=0))
    pipeline.add_preprocessor(
        StandardPreprocessor(
            features=["trip_miles", "fare", "trip_seconds", "payment_type"], labels=["tips"]
        )
    )
    pipeline.add_trainer(
        TrainerStep(epochs=1, lr=0.01, hidden_layers=[16], last_activation="linear", batch_size=32)
    )
    pipeline.add_evaluator(
        TFMAEvaluator(metrics={"tips": ["mean_squared_error"]}, slices=[["company"]])
    )
    pipeline.add_pusher(Pusher(folder=str(repository.path / "serving")))
    return pipeline


@dataclass
class Taxi:
    """The shared run, with what it came from. Tests must not change any of it."""

    repository: Repository
    pipeline: TrainingPipeline
    run: Run
    data: Path


@pytest.fixture(scope="session")
def taxi(tmp_path_factory: pytest.TempPathFactory) -> Taxi:
    folder = tmp_path_factory.mktemp("taxi")
    data = small_taxi_csv(folder, 1500)
    repository = Repository(folder)
    pipeline = taxi_pipeline("Pipeline A", data, repository)
    return Taxi(repository, pipeline, pipeline.run(progress=None), data)


@pytest.fixture(autouse=True)
def _quiet_logging(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
