"""The same six steps, importing pandas and scikit-learn when they run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from zentfx import pipeline, step

ROWS = 20_000

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.preprocessing import StandardScaler


@step
def load_rows(rows: int) -> pd.DataFrame:
    import sklearn_script as plain

    return plain.load_rows(rows)


@step
def clean(frame: pd.DataFrame) -> pd.DataFrame:
    import sklearn_script as plain

    return plain.clean(frame)


@step
def split(
    frame: pd.DataFrame,
) -> tuple[Annotated[pd.DataFrame, "train"], Annotated[pd.DataFrame, "test"]]:
    import sklearn_script as plain

    train, test = plain.split(frame)
    return train, test


@step
def fit_scaler(train: pd.DataFrame) -> StandardScaler:
    import sklearn_script as plain

    return plain.fit_scaler(train)


@step
def fit(
    train: pd.DataFrame, scaler: StandardScaler, trees: int
) -> Annotated[RandomForestRegressor, "model"]:
    import sklearn_script as plain

    return plain.fit(train, scaler, trees)


@step
def evaluate(test: pd.DataFrame, scaler: StandardScaler, model: RandomForestRegressor) -> float:
    import sklearn_script as plain

    return plain.evaluate(test, scaler, model)


@pipeline(progress=False)
def training(trees: int):
    train, test = split(clean(load_rows(ROWS)))
    scaler = fit_scaler(train)
    evaluate(test, scaler, fit(train, scaler, trees))


def main() -> None:
    """Runs it once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trees", type=int, default=20)
    parser.add_argument("--expect", default="")
    args = parser.parse_args()
    run = training.with_options(repository=args.folder)(args.trees)
    statuses = "".join(item.status[:2] for item in run.steps.values())
    assert not args.expect or statuses == args.expect, statuses


if __name__ == "__main__":
    main()
