"""The same six steps as a pipeline of ZenML, on its default local stack."""

import argparse
import os
from pathlib import Path
from typing import Annotated

import pandas as pd
import sklearn_script as plain
from sklearn.ensemble import RandomForestRegressor
from sklearn.preprocessing import StandardScaler

# ZenML reads the second when it is imported.
os.environ |= {"ZENML_ANALYTICS_OPT_IN": "false", "ZENML_LOGGING_VERBOSITY": "WARN"}
from zenml import pipeline, step


@step
def load_rows(rows: int) -> pd.DataFrame:
    return plain.load_rows(rows)


@step
def clean(frame: pd.DataFrame) -> pd.DataFrame:
    return plain.clean(frame)


@step
def split(
    frame: pd.DataFrame,
) -> tuple[Annotated[pd.DataFrame, "train"], Annotated[pd.DataFrame, "test"]]:
    train, test = plain.split(frame)
    return train, test


@step
def fit_scaler(train: pd.DataFrame) -> StandardScaler:
    return plain.fit_scaler(train)


@step
def fit(
    train: pd.DataFrame, scaler: StandardScaler, trees: int
) -> Annotated[RandomForestRegressor, "model"]:
    return plain.fit(train, scaler, trees)


@step
def evaluate(test: pd.DataFrame, scaler: StandardScaler, model: RandomForestRegressor) -> float:
    return plain.evaluate(test, scaler, model)


@pipeline
def training(trees: int):
    train, test = split(clean(load_rows(plain.ROWS)))
    scaler = fit_scaler(train)
    evaluate(test, scaler, fit(train, scaler, trees))


def main() -> None:
    """Runs it once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trees", type=int, default=20)
    parser.add_argument("--no-cache", action="store_true")
    parser.add_argument("--expect", default="")
    args = parser.parse_args()
    os.environ["ZENML_CONFIG_PATH"] = str(args.folder.resolve())  # read when it is first needed
    run = training.with_options(enable_cache=not args.no_cache)(args.trees)
    statuses = "".join(item.status.value[:2] for item in run.steps.values())
    assert not args.expect or statuses == args.expect, statuses


if __name__ == "__main__":
    main()
