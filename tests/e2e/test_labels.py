"""Labels of other kinds than one complete number; columns with odd names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zentfx import (
    CSVDatasource,
    RandomSplit,
    Repository,
    StandardPreprocessor,
    TFMAEvaluator,
    TrainerStep,
    TrainingPipeline,
)
from zentfx.errors import DataError, PipelineError, StepFailedError

ROWS = 400
CLASS = "class (ü)"
ODD = "Trip Miles/km (ü.é)"


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    first = rng.normal(size=ROWS)
    return pd.DataFrame(
        {
            ODD: first,
            "kind": rng.choice(["a", "b", "c"], ROWS),
            "price": np.where(rng.random(ROWS) < 0.2, np.nan, 3 * first + 10),
            "count": rng.integers(0, 5, ROWS),
            CLASS: np.where(first > 0, "up", "down"),
        }
    )


def pipeline_on(folder, rows, **steps):
    data = folder / "data.csv"
    rows.to_csv(data, index=False)
    pipeline = TrainingPipeline("Labels", repository=Repository(folder))
    pipeline.add_datasource(CSVDatasource(name="data", path=data))
    pipeline.add_split(RandomSplit(split_map={"train": 0.6, "eval": 0.4}))
    for name, step in steps.items():
        getattr(pipeline, f"add_{name}")(step)
    return pipeline


@pytest.mark.slow
def test_two_labels_one_with_gaps(rows, tmp_path):
    run = pipeline_on(
        tmp_path,
        rows,
        preprocessor=StandardPreprocessor(
            features=[ODD, "kind"], labels=["price", "count"], overwrite={"kind": "hash_strings"}
        ),
        trainer=TrainerStep(epochs=2, lr=0.01, last_activation="linear", hidden_layers=[4]),
        evaluator=TFMAEvaluator(
            metrics={"price": ["mean_squared_error"], "count": ["mean_absolute_error"]},
            slices=[["kind"]],
        ),
    ).run(progress=None)
    model = run.steps["trainer"].outputs["model"].load()
    raw = run.steps["split"].outputs["split_examples"].load()["eval"]
    predicted = model.predict(raw)
    assert {name: values.shape for name, values in predicted.items()} == {
        "price": (len(raw), 1),
        "count": (len(raw), 1),
    }
    metrics = run.steps["evaluator"].outputs["zentfx_metrics"].load()["overall"]
    # Rows without a price weigh nothing; TFMA alone would count them as predicted without error.
    present = raw["price"].notna()
    assert 0 < present.sum() < len(raw)
    errors = (predicted["price"][:, 0] - raw["price"])[present] ** 2
    assert metrics["price.mean_squared_error"] == pytest.approx(errors.mean(), rel=1e-4)
    absolute = np.abs(predicted["count"][:, 0] - raw["count"])
    assert metrics["count.mean_absolute_error"] == pytest.approx(absolute.mean(), rel=1e-4)


def test_a_string_label_is_classified(rows, tmp_path):
    run = pipeline_on(
        tmp_path,
        rows,
        preprocessor=StandardPreprocessor(features=[ODD, "kind"], labels=[CLASS]),
        trainer=TrainerStep(
            epochs=20,
            lr=0.05,
            loss="sparse_categorical_crossentropy",
            last_activation="softmax",
            output_units=2,
            metrics=["accuracy"],
        ),
        evaluator=TFMAEvaluator(
            metrics={CLASS: ["sparse_categorical_accuracy", "accuracy"]}, slices=[[CLASS]]
        ),
    ).run(progress=None)
    metrics = run.steps["evaluator"].outputs["zentfx_metrics"].load()
    overall, slices = metrics["overall"], metrics["slices"]
    assert overall["sparse_categorical_accuracy"] > 0.9
    assert overall["accuracy"] == overall["sparse_categorical_accuracy"]  # as Keras chooses
    # Slices are by the raw column, also where that is the label.
    assert {part["slice"][CLASS] for part in slices} == {"up", "down"}
    model = run.steps["trainer"].outputs["model"].load()
    predicted = model.predict(rows)
    assert predicted.shape == (ROWS, 2)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
def test_columns_may_be_called_anything(rows, tmp_path):
    odd = rows.rename(columns={ODD: "x.1", "count": "examples"})
    odd["x_1"] = odd["X_1"] = odd[".n"] = odd["self"] = odd["x.1"] * 2
    odd["big"] = np.where(odd["x.1"] > 0, 1, 0)
    run = pipeline_on(
        tmp_path,
        odd,
        preprocessor=StandardPreprocessor(
            features=["x.1", "x_1", "X_1", ".n", "examples", "self"], labels=["big"]
        ),
        trainer=TrainerStep(epochs=10, lr=0.05, loss="binary_crossentropy", batch_size=16),
        evaluator=TFMAEvaluator(metrics={"big": ["accuracy", "binary_accuracy"]}),
    ).run(progress=None)
    metrics = run.steps["evaluator"].outputs["zentfx_metrics"].load()["overall"]
    assert metrics["accuracy"] == metrics["binary_accuracy"] > 0.9
    model = run.steps["trainer"].outputs["model"].load()
    right = (model.predict(odd)[:, 0] > 0.5) == odd["big"]
    assert right.mean() > 0.9
    served = model.saved_model.signatures["serve_rows"].structured_input_signature[1]
    assert set(served) == {"x_1", "X_1_2", "x_1_0", "column_n_3", "examples", "self_5"}
    for data, came in [
        ({"x.1": [1.0]}, "dict came"),
        ([{"x.1": 1.0}], "list of dict came"),
        (odd["x.1"], "Series of float came"),
        (np.zeros(3), "ndarray of numpy.float64 came"),
        (None, "NoneType came"),
        (b"example", "bytes came"),
    ]:
        with pytest.raises(DataError, match=f"predicts from a pandas.DataFrame.*{came}"):
            model.predict(data)
    with pytest.raises(DataError, match="one column 'x.1'; the data has 2"):
        model.predict(pd.concat([odd, odd[["x.1"]]], axis=1))


def test_a_loss_for_numbers_is_refused_for_a_label_of_strings(rows, tmp_path):
    pipeline = pipeline_on(
        tmp_path,
        rows,
        preprocessor=StandardPreprocessor(features=[ODD], labels=[CLASS]),
        trainer=TrainerStep(),
    )
    with pytest.raises(PipelineError, match="holds strings.*'mse' is a loss for numbers"):
        pipeline.run(progress=None)
    assert Repository(tmp_path).get_runs() == []


def test_a_split_without_rows_fails_where_it_is_made(rows, tmp_path):
    pipeline = pipeline_on(
        tmp_path,
        rows.head(3),
        preprocessor=StandardPreprocessor(features=[ODD], labels=["count"]),
        trainer=TrainerStep(),
        split=RandomSplit({"train": 0.999999, "eval": 0.000001}),
    )
    with pytest.raises(StepFailedError, match="The split 'eval' got no rows"):
        pipeline.run(progress=None)


def test_an_odd_name_among_several_labels_is_refused_early():
    with pytest.raises(ValueError, match="Keras cannot call an output 'class .ü.'"):
        StandardPreprocessor(features=["kind"], labels=["price", CLASS])
