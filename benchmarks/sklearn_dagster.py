"""The same six steps as assets of Dagster; those whose code version changed are materialized."""

import argparse
import os
from pathlib import Path

import dagster as dg
import pandas as pd
import sklearn_script as plain
from sklearn.ensemble import RandomForestRegressor
from sklearn.preprocessing import StandardScaler


@dg.asset(code_version="1")
def rows() -> pd.DataFrame:
    return plain.load_rows(plain.ROWS)


@dg.asset(code_version="1")
def cleaned(rows: pd.DataFrame) -> pd.DataFrame:
    return plain.clean(rows)


@dg.multi_asset(
    outs={"train": dg.AssetOut(code_version="1"), "test": dg.AssetOut(code_version="1")}
)
def split(cleaned: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return plain.split(cleaned)


@dg.asset(code_version="1")
def scaler(train: pd.DataFrame) -> StandardScaler:
    return plain.fit_scaler(train)


def model_of(trees: int) -> dg.AssetsDefinition:
    @dg.asset(code_version=f"1, {trees} trees")  # Dagster does not look at the config of an asset
    def model(train: pd.DataFrame, scaler: StandardScaler) -> RandomForestRegressor:
        return plain.fit(train, scaler, trees)

    return model


@dg.asset(code_version="1")
def error(test: pd.DataFrame, scaler: StandardScaler, model: RandomForestRegressor) -> float:
    return plain.evaluate(test, scaler, model)


def changed(assets: list[dg.AssetsDefinition], instance: dg.DagsterInstance) -> list[dg.AssetKey]:
    """The assets that were last materialized with another code version, or never."""
    versions = {spec.key: spec.code_version for asset in assets for spec in asset.specs}
    last = instance.get_latest_materialization_code_versions(versions)
    return [key for key, version in versions.items() if version != last[key]]


def main() -> None:
    """Materializes what changed, and all that uses it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trees", type=int, default=20)
    parser.add_argument("--all", action="store_true", help="materialize everything")
    parser.add_argument("--expect", default="")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    (args.folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    os.environ["DAGSTER_HOME"] = str(args.folder.resolve())
    assets = [rows, cleaned, split, scaler, model_of(args.trees), error]
    ran: set[str] = set()
    with dg.DagsterInstance.get() as instance:
        keys = [rows.key] if args.all else changed(assets, instance)
        if keys:
            result = dg.materialize(
                assets,
                selection=dg.AssetSelection.assets(*keys).downstream(),
                instance=instance,
                run_config={"loggers": {"console": {"config": {"log_level": "WARNING"}}}},
            )
            ran = {event.step_key for event in result.filter_events(lambda e: e.is_step_success)}
    statuses = "".join("co" if asset.op.name in ran else "ca" for asset in assets)
    assert not args.expect or statuses == args.expect, statuses


if __name__ == "__main__":
    main()
