"""Six steps of pandas and scikit-learn, as a plain script."""

import argparse

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

ROWS = 20_000
COLUMNS = [f"x{number}" for number in range(8)]


def load_rows(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, len(COLUMNS))), columns=COLUMNS)
    frame["y"] = frame["x0"] * 3 + frame["x1"] ** 2 + random.normal(size=rows) * 0.1
    return frame


def clean(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame[COLUMNS].abs().max(axis=1) < 4].reset_index(drop=True)


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    train, test = train_test_split(frame, test_size=0.25, random_state=0)
    return train, test


def fit_scaler(train: pd.DataFrame) -> StandardScaler:
    return StandardScaler().fit(train[COLUMNS])


def fit(train: pd.DataFrame, scaler: StandardScaler, trees: int) -> RandomForestRegressor:
    model = RandomForestRegressor(n_estimators=trees, max_depth=6, random_state=0, n_jobs=1)
    return model.fit(scaler.transform(train[COLUMNS]), train["y"])


def evaluate(test: pd.DataFrame, scaler: StandardScaler, model: RandomForestRegressor) -> float:
    return float(mean_squared_error(test["y"], model.predict(scaler.transform(test[COLUMNS]))))


def main() -> None:
    """Runs them once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trees", type=int, default=20)
    args = parser.parse_args()
    train, test = split(clean(load_rows(ROWS)))
    scaler = fit_scaler(train)
    print(evaluate(test, scaler, fit(train, scaler, args.trees)))


if __name__ == "__main__":
    main()
