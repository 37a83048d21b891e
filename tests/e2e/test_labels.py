"""Labels of other kinds than one complete number; columns with odd names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zentfx import (
    CSVDatasource,
    PreprocessorStep,
    RandomSplit,
    Repository,
    SplitStep,
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
    # Sorted, whichever is more frequent; on the model, in the run and beside its metrics.
    classes = {CLASS: ["down", "up"]}
    assert model.classes == run.steps["trainer"].classes == run.steps["evaluator"].classes
    assert model.classes == classes
    predicted = np.array(classes[CLASS])[model.predict(rows).argmax(axis=1)]
    assert (predicted == rows[CLASS]).mean() > 0.9
    [row] = Repository(tmp_path).compare_training_runs().to_records()
    assert row["evaluator.(classes)"] == f"{CLASS}: down, up"
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


class Filling(PreprocessorStep):
    """Makes a number of every gap."""

    @property
    def feature_columns(self):
        return ["x"]

    @property
    def label_columns(self):
        return ["price", "delta"]

    def preprocessing_fn(self, inputs):
        import tensorflow as tf

        def filled(name, dtype):
            sparse = inputs[name]
            shape = tf.stack([sparse.dense_shape[0], tf.constant(1, tf.int64)])
            dense = tf.sparse.to_dense(tf.SparseTensor(sparse.indices, sparse.values, shape))
            return tf.cast(tf.reshape(dense, [-1, 1]), dtype)

        whole = filled("delta", tf.int64)
        return {"x": filled("x", tf.float32), "price": filled("price", tf.float32), "delta": whole}


@pytest.mark.slow
def test_a_gap_that_a_preprocessor_fills_makes_no_label(tmp_path):
    rng = np.random.default_rng(4)
    x = rng.normal(size=ROWS)
    price = np.where(rng.random(ROWS) < 0.3, np.nan, 3 * x + 50)
    delta = rng.integers(-3, 4, ROWS)  # -1 is a number here
    run = pipeline_on(
        tmp_path,
        pd.DataFrame({"x": x, "price": price, "delta": delta}),
        preprocessor=Filling(),
        trainer=TrainerStep(epochs=3, lr=0.05, last_activation="linear", metrics=["mae"]),
        evaluator=TFMAEvaluator(
            metrics={
                "price": ["mean_absolute_error", "example_count"],
                "delta": ["mean_absolute_error", "example_count"],
            }
        ),
    ).run(progress=None)
    held = run.steps["split"].outputs["split_examples"].load()["eval"]
    predicted = run.steps["trainer"].outputs["model"].load().predict(held)
    for name in ("price", "delta"):
        has = held[name].notna().to_numpy()
        errors = np.abs(predicted[name][has, 0] - held[name][has])
        assert run.metrics[f"evaluator.{name}.example_count"] == has.sum()
        measured = run.metrics[f"evaluator.{name}.mean_absolute_error"]
        assert measured == pytest.approx(errors.mean(), rel=1e-4)
    # A row that lacks one of the labels is left out of training and validation.
    both = held["price"].notna().to_numpy()
    errors = np.abs(predicted["delta"][both, 0] - held["delta"][both])
    assert run.metrics["trainer.val_delta_mae"] == pytest.approx(errors.mean(), rel=1e-3)
    missing = int(held["price"].isna().sum())
    counts = run.steps["preprocessor"].labels["eval"]
    assert counts["price"] == {"rows": len(held), "missing": missing, "unknown": 0}
    assert counts["delta"] == {"rows": len(held), "missing": 0, "unknown": 0}


class ByDay(SplitStep):
    """The first days train, the last two evaluate."""

    @property
    def split_names(self):
        return ["train", "eval"]

    def assign(self, record):
        import tensorflow as tf

        features = tf.train.Example.FromString(record).features.feature
        return int(features["day"].int64_list.value[0] >= 8)


@pytest.fixture(scope="module")
def late():
    """A class of two lines, one that comes late, and rows without any."""
    x = np.random.default_rng(2).random(ROWS)
    day = np.arange(ROWS) % 10
    kind = np.select([x < 0.4, x < 0.7], ["low", "two\nlines"], np.where(day >= 8, "late", "high"))
    kind = np.where(np.arange(ROWS) % 17 == 0, None, kind)
    return pd.DataFrame({"day": day, "x": x, "kind": kind})


def classifier(metrics, classes=None, **more):
    return {
        "preprocessor": StandardPreprocessor(features=["x"], labels=["kind"], classes=classes),
        "trainer": TrainerStep(
            epochs=20,
            lr=0.05,
            batch_size=32,
            loss="sparse_categorical_crossentropy",
            last_activation="softmax",
            output_units=4,
            hidden_layers=[8],
            dropout_chance=0.0,
        ),
        "evaluator": TFMAEvaluator(metrics={"kind": metrics}, slices=[["kind"]], **more),
        "split": ByDay(),
    }


@pytest.mark.slow
def test_a_class_that_training_has_not_seen_is_a_wrong_prediction(late, tmp_path):
    metrics = ["sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy", "example_count"]
    run = pipeline_on(tmp_path, late, **classifier(metrics)).run(progress=None)
    raw = run.steps["split"].outputs["split_examples"].load()
    model = run.steps["trainer"].outputs["model"].load()
    classes = ["high", "low", "two\nlines"]
    assert model.classes == {"kind": classes}
    held = raw["eval"][raw["eval"]["kind"].notna()]
    named = np.array([*classes, "(none)"])[model.predict(held).argmax(axis=1)]
    found = run.steps["evaluator"].outputs["zentfx_metrics"].load()
    overall = found["overall"]
    assert overall["example_count"] == len(held) == found["rows"]["kind"]
    accuracy = (named == held["kind"]).mean()
    assert overall["sparse_categorical_accuracy"] == pytest.approx(accuracy)
    # Of four outputs the best five hold every class that is known.
    is_known = held["kind"].isin(classes).mean()
    assert overall["sparse_top_k_categorical_accuracy"] == pytest.approx(is_known)
    by_class = {part["slice"]["kind"]: part["metrics"] for part in found["slices"]}
    assert by_class["late"]["sparse_categorical_accuracy"] == 0
    assert by_class["two\nlines"]["sparse_categorical_accuracy"] > 0.5
    counts = {
        split: {
            "kind": {
                "rows": len(rows),
                "missing": int(rows["kind"].isna().sum()),
                "unknown": int((rows["kind"] == "late").sum()),
            }
        }
        for split, rows in raw.items()
    }
    assert counts["eval"]["kind"]["unknown"] > 0 < counts["train"]["kind"]["missing"]
    assert run.steps["preprocessor"].labels == counts
    assert found["labels"] == {"eval": counts["eval"]}
    said = " ".join(run.steps["preprocessor"].remarks)
    assert f"eval: {counts['eval']['kind']['unknown']} of {len(raw['eval'])} rows have" in said
    assert "training has not seen: 'late'" in said
    assert all(
        text in run.steps["preprocessor"].log() for text in run.steps["preprocessor"].remarks
    )
    unknown = counts["eval"]["kind"]["unknown"]
    assert run.metrics["trainer.val_unknown_classes"] == unknown
    # A metric that cannot count such a row fails, rather than leave it out.
    other = classifier(["sparse_categorical_crossentropy"])
    with pytest.raises(StepFailedError, match="sparse_categorical_crossentropy cannot count them"):
        pipeline_on(tmp_path, late, **other).run(progress=None)
    # With all classes named there is nothing unknown.
    names = ["high", "late", "low", "two\nlines"]
    every = classifier(["sparse_categorical_crossentropy"], classes={"kind": names})
    run = pipeline_on(tmp_path, late, **every).run(progress=None)
    assert run.steps["preprocessor"].labels["eval"]["kind"]["unknown"] == 0
    model = run.steps["trainer"].outputs["model"].load()
    assert model.classes == {"kind": names}
    chances = model.predict(held)[
        np.arange(len(held)), [names.index(kind) for kind in held["kind"]]
    ]
    entropy = run.metrics["evaluator.sparse_categorical_crossentropy"]
    clipped = np.clip(chances, 1e-7, None)  # as Keras does
    assert entropy == pytest.approx(-np.log(clipped).mean(), rel=1e-3)


@pytest.mark.slow
def test_a_class_in_the_training_data_that_is_not_among_those_named_fails(late, tmp_path):
    steps = classifier(["accuracy"], classes={"kind": ["low", "high", "late"]})
    with pytest.raises(StepFailedError, match=r"not among the known ones: 'two\\nlines'. Add it"):
        pipeline_on(tmp_path, late, **steps).run(progress=None)


@pytest.mark.slow
@pytest.mark.parametrize("positive", ["no", "yes"])
def test_the_positive_class_is_the_last_one_named(positive, tmp_path):
    rng = np.random.default_rng(1)
    x = rng.random(ROWS)
    paid = np.where(x + rng.normal(0, 0.3, ROWS) < 0.7, "yes", "no")
    rows = pd.DataFrame({"x": x, "paid": paid})
    negative = "yes" if positive == "no" else "no"
    run = pipeline_on(
        tmp_path,
        rows,
        preprocessor=StandardPreprocessor(["x"], ["paid"], classes={"paid": [negative, positive]}),
        trainer=TrainerStep(epochs=10, lr=0.05, loss="binary_crossentropy", batch_size=16),
        evaluator=TFMAEvaluator(metrics={"paid": ["precision", "recall", "true_positives"]}),
    ).run(progress=None)
    held = run.steps["split"].outputs["split_examples"].load()["eval"]
    model = run.steps["trainer"].outputs["model"].load()
    said = model.predict(held)[:, 0] > 0.5
    true = (held["paid"] == positive).to_numpy()
    assert run.metrics["evaluator.true_positives"] == (said & true).sum() > 0
    assert run.metrics["evaluator.recall"] == pytest.approx((said & true).sum() / true.sum())
    assert run.metrics["evaluator.precision"] == pytest.approx((said & true).sum() / said.sum())


def test_metrics_of_a_positive_class_are_refused_where_nobody_says_which(rows, tmp_path):
    def pipeline(metric, classes=None, units=1):
        return pipeline_on(
            tmp_path,
            rows,
            preprocessor=StandardPreprocessor([ODD], ["kind"], classes=classes),
            trainer=TrainerStep(loss="binary_crossentropy", output_units=units),
            evaluator=TFMAEvaluator(metrics={"kind": [metric]}),
        )

    for metric in ("recall", "Precision", "f1_score", "true_negatives"):
        with pytest.raises(PipelineError, match=f"'{metric}' depends on which class.*classes={{"):
            pipeline(metric).validate()
    pipeline("auc").validate()  # it would be the same
    pipeline("recall", {"kind": ["a", "b"]}).validate()
    named = {"kind": ["a", "b", "c"]}
    with pytest.raises(PipelineError, match="'recall' is for two classes.*'kind' has 3"):
        pipeline("recall", named, units=3).validate()
    with pytest.raises(DataError, match="'kind' has 3 classes .*output_units=3"):
        pipeline("auc", named).validate()
