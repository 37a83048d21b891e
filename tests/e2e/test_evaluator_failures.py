"""Evaluations that cannot be: they fail by a sentence, and nothing is blessed."""

import random

import pytest

from zentfx import (
    CSVDatasource,
    Pusher,
    RandomSplit,
    StandardPreprocessor,
    TFMAEvaluator,
    TrainerStep,
    TrainingPipeline,
)
from zentfx.errors import StepFailedError


class BySide(RandomSplit):
    """Rows with an ``x`` above 1 are for evaluation alone."""

    def assign(self, record):
        import tensorflow as tf

        row = tf.train.Example.FromString(record).features.feature
        return self.split_names.index("eval" if row["x"].float_list.value[0] > 1 else "train")


@pytest.mark.slow
def test_what_a_metric_cannot_count_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(0)
    lines = ["x,paid"]
    for number in range(120):
        paid = "maybe" if number % 10 == 9 else rng.choice(["yes", "no"])
        x = rng.random() + (1 if paid == "maybe" or number % 4 == 0 else 0)
        lines.append(f"{x + 1e-6},{paid}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    made = TrainingPipeline("Unknown")
    made.add_datasource(CSVDatasource(name="rows", path="rows.csv"))
    made.add_split(BySide(split_map={"train": 0.7, "eval": 0.3}))
    made.add_preprocessor(
        StandardPreprocessor(features=["x"], labels=["paid"], classes={"paid": ["no", "yes"]})
    )
    made.add_trainer(TrainerStep(epochs=1, loss="binary_crossentropy"))
    made.add_evaluator(TFMAEvaluator(metrics={"paid": ["accuracy"]}))
    message = "12 of .* have a class of 'paid' that training has not seen, and accuracy cannot"
    with pytest.raises(StepFailedError, match=message):
        made.run(progress=None)

    broken = made.copy("Not finite")
    broken.add_preprocessor(StandardPreprocessor(features=["x"], labels=["x2"]))
    text = "\n".join(f"{line},{index % 2}" for index, line in enumerate(lines[1:]))
    (tmp_path / "rows.csv").write_text(f"x,paid,x2\n{text}\n")
    broken.add_trainer(
        TrainerStep(
            epochs=2, lr=1e38, hidden_layers=[4], loss="binary_crossentropy", on_nan_loss="warn"
        )
    )
    broken.add_evaluator(TFMAEvaluator(metrics={"x2": ["auc"]}, thresholds={"auc": {"lower": 0.0}}))
    broken.add_pusher(Pusher(folder="serving"))
    with pytest.raises(StepFailedError, match=r"not finite \(.* in the split 'eval'\)"):
        broken.run(progress=None)
    assert not list((tmp_path / "serving").glob("*"))
