"""Function steps in a training pipeline: they feed its data, and read its model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.conftest import small_taxi_csv
from zentfx import (
    DataFrameDatasource,
    Pipeline,
    RandomSplit,
    Repository,
    StandardPreprocessor,
    TrainerStep,
    TrainingPipeline,
    pipeline,
    step,
)
from zentfx.datasources.data_frame import _table
from zentfx.errors import DataError, ParameterError, PipelineError


@step
def load_rows(rows: int, file: Path) -> pd.DataFrame:
    found = pd.read_csv(file, nrows=rows)[["trip_miles", "fare", "payment_type", "tips"]]
    found["short"] = found["trip_miles"] < 1
    found["payment_type"] = found["payment_type"].astype("category")
    return found


@step
def predict(model, rows: pd.DataFrame, count: int = 5) -> np.ndarray:
    return model.predict(rows.head(count))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixed")
    made = TrainingPipeline("Mixed", repository=Repository(folder))
    file = small_taxi_csv(folder, 600)
    made.add_step(load_rows.as_step(rows=500, file=file), "rows")
    made.add_datasource(DataFrameDatasource("taxi"), inputs={"data": "rows.output"})
    made.add_split(RandomSplit(split_map={"train": 0.7, "eval": 0.3}, seed=0))
    made.add_preprocessor(
        StandardPreprocessor(
            features=["trip_miles", "fare", "payment_type", "short"], labels=["tips"]
        )
    )
    made.add_trainer(TrainerStep(epochs=1, hidden_layers=[4], last_activation="linear"))
    made.add_step(
        predict.as_step(count=3), inputs={"model": "trainer.model", "rows": "rows.output"}
    )
    return made, made.run(progress=False)


@pytest.mark.slow
def test_a_function_feeds_a_training_pipeline_and_another_reads_its_model(ran):
    made, run = ran
    assert run.status == "completed"
    assert run.steps["predict"].outputs["output"].load().shape == (3, 1)
    assert run.steps["predict"].inputs["model"].type == "Model"
    examples = run.steps["datasource"].outputs["examples"].load()["all"]
    rows = run.steps["rows"].outputs["output"].load()
    assert examples["short"].tolist() == rows["short"].astype(int).tolist()
    assert examples["payment_type"].tolist() == rows["payment_type"].astype(str).tolist()
    assert examples["fare"].to_numpy() == pytest.approx(rows["fare"].to_numpy(), rel=1e-6)
    again = made.copy("Again")
    assert {item.status for item in again.run(progress=False).steps.values()} == {"cached"}
    text = made.to_yaml()
    assert Pipeline.from_yaml(text).to_yaml() == text


@pytest.mark.slow
def test_class_steps_of_tfx_are_called_in_a_function(ran):
    _, first = ran

    @pipeline(progress=False, repository=Repository(first._catalog.workspace.root))
    def whole(count):
        rows = load_rows.with_options(name="rows")(**first.steps["rows"].parameters)
        examples = DataFrameDatasource("taxi").with_options(name="datasource")(data=rows)
        predict(first.steps["trainer"].outputs["model"], rows, count=count)
        return examples

    run = whole(2)
    statuses = {name: item.status for name, item in run.steps.items()}
    assert statuses == {"rows": "cached", "datasource": "cached", "predict": "completed"}
    assert run.steps["predict"].outputs["output"].load().shape == (2, 1)


def test_what_does_not_fit_is_refused_before_anything_runs(tmp_path):
    made = Pipeline("P", repository=tmp_path)
    made.add_step(load_rows.as_step(file="x"), "rows")
    with pytest.raises(PipelineError, match="needs 'rows', and nothing is connected to it"):
        made.run(progress=False)
    made.add_step(load_rows.as_step(rows=1, file="x"), "rows")
    made.add_step(predict.as_step(), inputs={"model": "rows.nothing", "rows": "rows.output"})
    with pytest.raises(PipelineError, match="'rows' has no such output.*'output'"):
        made.run(progress=False)
    with pytest.raises(ParameterError, match="must not be empty"):
        DataFrameDatasource("")
    assert not (tmp_path / ".zentfx" / "artifacts" / "runs").exists()


class TestTables:
    def test_columns_become_what_examples_hold(self):
        table = _table(
            pd.DataFrame(
                {
                    "int8": np.array([1, 2], "int8"),
                    "nullable": pd.array([1, None], "Int64"),
                    "double": [0.5, None],
                    "half": np.array([0.5, 2.0], "float16"),
                    "bool": [True, False],
                    "text": ["ä", None],
                    "category": pd.Categorical(["a", "b"]),
                    "bytes": [b"x", None],
                    "nothing": [None, None],
                },
                index=[5, 6],
            )
        )
        assert {field.name: str(field.type) for field in table.schema} == {
            "int8": "int64",
            "nullable": "int64",
            "double": "float",
            "half": "float",
            "bool": "int64",
            "text": "binary",
            "category": "binary",
            "bytes": "binary",
            "nothing": "null",
        }
        assert table["nullable"].to_pylist() == [1, None]
        assert table["double"].to_pylist() == [0.5, None]
        assert table["text"].to_pylist() == ["ä".encode(), None]

    def test_arrow_tables_are_taken(self):
        assert _table(pa.table({"a": [1]})).num_rows == 1

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (pd.DataFrame(), "0 rows and 0 columns"),
            (pd.DataFrame({"a": []}), "0 rows"),
            (pd.DataFrame({"a": [[1]]}), "'a' holds list.*expected numbers"),
            (pd.DataFrame({"a": pd.to_datetime(["2026"])}), "'a' holds timestamp.*into seconds"),
            (pd.DataFrame({"a": [1, "x"]}), "'a' holds values that are not all numbers"),
            (pd.DataFrame({0: [1]}), "called 0"),
            (pd.DataFrame([[1, 2]], columns=["a", "a"]), "called 'a'"),
            (pd.DataFrame({"a": [1.5, np.inf]}), "'a' has inf in row 1 .*non_finite='missing'"),
            (pd.DataFrame({"a": [1.5, 2.5, 1e40]}), "'a' has 1e\\+40 in row 2"),
            (pd.DataFrame({"a": [2**63]}), "'a' has an integer that does not fit in 64 bits"),
            (pd.DataFrame({"a": [2**70]}), "'a' holds values that are not"),
            (pd.DataFrame({"a": [1j]}), "'a' holds"),
            (pd.DataFrame({"a": ["\ud800"]}), "'a' holds values that are not"),
            (pa.table([[1], [2]], names=["a", "a"]), "two are called 'a'"),
            (np.ones(3), "got ndarray"),
        ],
    )
    def test_others_are_refused(self, data, message):
        with pytest.raises(DataError, match=message):
            _table(data)

    def test_numbers_that_are_not_finite_may_be_taken_for_missing(self):
        data = pd.DataFrame({"a": [1.5, np.inf, 1e40, np.nan, -np.inf]})
        assert _table(data, "missing")["a"].to_pylist() == [1.5, None, None, None, None]
