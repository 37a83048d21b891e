"""What the README and the guides show, run; and where their links lead."""

from __future__ import annotations

import importlib
import linecache
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import zentfx
from tests.conftest import small_taxi_csv
from zentfx import (
    CSVDatasource,
    Pipeline,
    Pusher,
    Repository,
    StandardPreprocessor,
    TFMAEvaluator,
    TrainerStep,
)
from zentfx.materializers import values
from zentfx.steps.bounds import verdict_text
from zentfx.steps.metric_log import collecting
from zentfx.testing import check_step

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "components").rglob("*.md"),
    *(ROOT / "benchmarks").rglob("*.md"),
]


def block(page: str, needle: str, language: str = "python") -> str:
    """The one code block of a page that holds a text."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    [found] = [item for item in blocks if needle in item]
    return found


def define(code: str, name: str):
    """Runs a block as a notebook would its cell, and hands out what it defines."""
    file = f"<cell {name}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    space = {"__name__": "__main__"}
    exec(compile(code, file, "exec"), space)
    return space[name]


def test_the_guide_to_functions_and_artifacts_works(tmp_path, monkeypatch):
    monkeypatch.setenv("ZENTFX_REPOSITORY", str(tmp_path))
    listing = block("docs/artifacts.md", "def load_rows")
    file = tmp_path / "zt_functions.py"
    file.write_text(listing, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    space = vars(importlib.import_module("zt_functions"))
    assert space["run"].steps["score"].outputs["output"].load() == pytest.approx(1.0)
    statuses = {name: step.status for name, step in Repository().get_runs()[-1].steps.items()}
    assert statuses["split"] == "cached"
    assert statuses["fit"] == "completed"
    assert len(Repository().compare_training_runs()) == 2
    exec(block("docs/artifacts.md", "list_artifacts()"), space)
    assert space["model"].version == "2"
    assert space["model"].tags == ("released",)
    assert space["model"].note == "the one of the paper"
    exec(block("docs/artifacts.md", "def weekly"), space)
    run = space["weekly"]()
    assert run.steps["score"].inputs["model"].id == space["model"].id
    space["Point"] = define(
        "class Point:\n    def __init__(self, x, y):\n        self.x, self.y = x, y", "Point"
    )
    exec(block("docs/artifacts.md", "PointMaterializer"), space)
    folder = tmp_path / "point"
    folder.mkdir()
    saved = values.save(space["Point"](1.5, 2.0), None, folder)
    assert saved.metadata == {"x": 1.5}
    assert space["PointMaterializer"]().load(folder, space["Point"]).y == 2.0
    exec(block("docs/artifacts.md", "register_artifact("), space)
    assert "checkpoints" in {item.name for item in space["repo"].list_artifacts()}


def test_the_readmes_listing_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZENTFX_REPOSITORY", raising=False)
    (tmp_path / "data").mkdir()
    data = small_taxi_csv(tmp_path / "data", 600)
    space = {}
    exec(block("README.md", "a = TrainingPipeline"), space)
    assert space["run"].status == "completed"
    assert space["model"].predict(space["rows"]).shape == (5, 1)
    assert space["model"].predict(space["pandas"].read_csv(data)).shape == (600, 1)
    held = space["run"].steps["split"].outputs["split_examples"].load()["eval"]
    errors = space["model"].predict(held)[:, 0] - held["tips"]
    measured = space["run"].metrics["evaluator.mean_squared_error"]
    assert measured == pytest.approx(np.mean(errors**2), rel=1e-4)
    assert list((tmp_path / "serving" / "taxi").iterdir())
    exec(block("README.md", "compare_training_runs"), space)
    statuses = {name: step.status for name, step in space["repo"].get_runs()[1].steps.items()}
    assert statuses["preprocessor"] == "cached"
    assert statuses["trainer"] == "completed"
    assert len(space["repo"].compare_training_runs()) == 2
    exec(block("README.md", "model.upstream()"), space)
    assert {mark.note for mark in space["model"].marks} == {"sensor was broken"}
    assert len(space["data"].downstream().of_type("Model")) == 2
    space["data"].unmark()
    space["a"].to_yaml("a.yaml")
    assert Pipeline.from_yaml("a.yaml").run(progress=None).steps["trainer"].status == "cached"


def test_the_step_of_the_guide_runs(taxi, tmp_path):
    step_class = define(block("docs/steps.md", "class CountRows"), "CountRows")
    examples = taxi.run.steps["split"].outputs["split_examples"]
    run = check_step(step_class(minimum=1), inputs={"examples": examples}, folder=tmp_path)
    counted = run.steps["step"].outputs["counts"].metadata
    made = examples.load()
    assert {split: counted[split] for split in made} == {
        split: len(rows) for split, rows in made.items()
    }


def test_the_trainer_of_the_guide_is_a_linear_model(taxi, tmp_path):
    trainer = define(block("docs/steps.md", "class LinearTrainer"), "LinearTrainer")
    check_step(trainer(l2=0.1))
    pipeline = taxi.pipeline.copy("Linear")
    pipeline.add_preprocessor(StandardPreprocessor(["trip_miles", "fare"], ["tips"]))
    pipeline.add_trainer(trainer(lr=0.01, batch_size=32))
    pipeline.add_pusher(Pusher(str(tmp_path)))
    run = pipeline.run(progress=None)
    raw = run.steps["split"].outputs["split_examples"].load()
    held = raw["eval"]
    predicted = run.steps["trainer"].outputs["model"].load().predict(held)[:, 0]
    # Whatever it learned: a plane over the features' z-scores, and the error of its predictions.
    features = held[["trip_miles", "fare"]].to_numpy(float)
    plane = np.column_stack([features, np.ones(len(held))])
    fitted = plane @ np.linalg.lstsq(plane, predicted, rcond=None)[0]
    np.testing.assert_allclose(predicted, fitted, rtol=1e-3, atol=1e-3)
    measured = run.metrics["evaluator.mean_squared_error"]
    assert measured == pytest.approx(np.mean((predicted - held["tips"]) ** 2), rel=1e-4)


def test_the_preprocessor_of_the_guide_runs(taxi, tmp_path):
    preprocessor = define(block("docs/steps.md", "class LogPreprocessor"), "LogPreprocessor")
    rows = pd.read_csv(taxi.data).head(500)
    number = np.arange(len(rows))
    rows["tips"] = rows["tips"].mask(number % 3 == 0)
    rows["fare"] = rows["fare"].mask(number % 5 == 0)
    rows.to_csv(tmp_path / "gaps.csv", index=False)
    pipeline = taxi.pipeline.copy("Logarithm")
    pipeline.add_datasource(CSVDatasource(name="gaps", path=tmp_path / "gaps.csv"))
    pipeline.add_preprocessor(preprocessor(offset=2.0))
    pipeline.add_evaluator(TFMAEvaluator({"tips": ["mean_absolute_error", "example_count"]}))
    pipeline.add_pusher(Pusher(str(tmp_path / "serving")))
    run = pipeline.run(progress=None)
    raw = run.steps["split"].outputs["split_examples"].load()
    made = run.steps["preprocessor"].outputs["transformed_examples"].load()["train"]
    logarithms = np.log(raw["train"]["fare"].fillna(0) + 2)
    z_scores = (logarithms - logarithms.mean()) / logarithms.std(ddof=0)
    np.testing.assert_allclose(made["log_fare"], z_scores, atol=1e-4)
    np.testing.assert_allclose(made["tips"], raw["train"]["tips"], equal_nan=True)
    # A missing label is no label of 0.
    held = raw["eval"][raw["eval"]["tips"].notna()]
    assert 0 < len(held) < len(raw["eval"])
    errors = run.steps["trainer"].outputs["model"].load().predict(held)[:, 0] - held["tips"]
    assert run.metrics["evaluator.example_count"] == len(held)
    measured = run.metrics["evaluator.mean_absolute_error"]
    assert measured == pytest.approx(np.mean(np.abs(errors)), rel=1e-4)
    assert run.metrics["trainer.val_loss"] == pytest.approx(np.mean(errors**2), rel=1e-3)


def test_the_standard_preprocessor_of_the_guide_computes_what_it_says(taxi, tmp_path):
    step = eval(block("docs/pipelines.md", "scale_to_0_1"), dict(vars(zentfx)))
    inputs = {
        "examples": taxi.run.steps["split"].outputs["split_examples"],
        "schema": taxi.run.steps["schema"].outputs["schema"],
    }
    run = check_step(step, inputs, tmp_path)
    made = run.steps["step"].outputs["transformed_examples"].load()["train"]
    raw = inputs["examples"].load()["train"]
    fare = (raw["fare"] - raw["fare"].min()) / (raw["fare"].max() - raw["fare"].min())
    np.testing.assert_allclose(made["fare"], fare, atol=1e-5)
    np.testing.assert_allclose(made["tips"], raw["tips"], rtol=1e-6)
    # Buckets by quantiles are about as full as each other, and in the order of the values.
    share = made["trip_miles"].value_counts(normalize=True)
    edges = raw["trip_miles"].groupby(made["trip_miles"]).agg(["min", "max"])
    assert set(share.index) <= set(range(5))
    assert (edges["max"].to_numpy()[:-1] <= edges["min"].to_numpy()[1:]).all()
    # The most frequent company comes first; a missing one is of no vocabulary.
    counts = raw["company"].value_counts()
    by_index = made.groupby(raw["company"].fillna(""))["company"].first()
    by_index = by_index[counts.index].sort_values()
    assert list(by_index) == list(range(len(counts)))
    assert [counts[name] for name in by_index.index] == sorted(counts, reverse=True)


def test_the_classes_and_bounds_of_the_guide_are_taken():
    space = dict(vars(zentfx))
    step = eval(block("docs/pipelines.md", "classes={"), space)
    assert step.classes == {"paid": ["no", "yes"]}
    evaluator = eval(block("docs/pipelines.md", "no_worse=["), space)
    wrong = {"overall": {"mean_squared_error": 3.0, "mean_absolute_error": 0.9}, "not_finite": {}}
    metrics = {"mean_squared_error": 3.0, "mean_absolute_error": 2.31}
    part = {"slice": {"company": "Flash Cab"}, "metrics": metrics, "rows": {"tips": 41}}
    reasons = evaluator.verdict({**wrong, "rows": {"tips": 100}, "slices": [part]})
    page = (ROOT / "docs/pipelines.md").read_text(encoding="utf-8")
    assert str(reasons[1]) in page
    text = verdict_text(reasons[1:])
    assert f"{text[:1].upper()}{text[1:]}." in page


def test_the_guide_to_runs_works_and_names_what_is_there(taxi, monkeypatch, capsys):
    monkeypatch.chdir(taxi.repository.path)
    space = {}
    exec(block("docs/runs.md", "get_runs"), space)
    assert re.search("trainer +completed|trainer +cached", capsys.readouterr().out)
    assert taxi.run.id in {run.id for run in space["repo"].get_runs()}
    page = (ROOT / "docs/runs.md").read_text(encoding="utf-8")
    objects = {
        "Run": space["run"],
        "StepRun": taxi.run.steps["trainer"],
        "ArtifactVersion": taxi.run.steps["trainer"].outputs["model"],
    }
    for kind, item in objects.items():
        table = page.split(f"| `{kind}` | |")[1].split("\n\n")[0]
        rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
        names = {name for row in rows for name in re.findall(r"`(\w+)", row)}
        public = {name for name in dir(item) if not name.startswith("_")}
        assert names == public, kind


def test_the_guides_ways_to_find_copy_and_compare_work(taxi, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    space = {"repo": taxi.repository, "TrainerStep": TrainerStep}
    code = block("docs/runs.md", "get_pipeline_by_name").replace("Pipeline C", "Of the guide")
    # The model of the shared run stays the newest in its folder.
    pusher = f"b.add_pusher(Pusher({str(tmp_path)!r}))\n"
    space["Pusher"] = Pusher
    exec(code.replace("run = b.run()", f"{pusher}run = b.run()"), space)
    assert space["run"].steps["preprocessor"].status == "cached"
    exec(block("docs/runs.md", "compare_training_runs"), space)
    assert "Of the guide" in (tmp_path / "compare.html").read_text(encoding="utf-8")


def test_the_guides_trainer_logs(taxi):
    step = define(block("docs/steps.md", "log_metric"), "OwnTrainer")(epochs=3)
    with collecting("OwnTrainer", recorded=True) as log:
        step.run_fn(None)
    assert log.overall == {"error": 1 / 3}


def test_the_guides_way_to_read_the_store_works(taxi, monkeypatch, capsys):
    monkeypatch.chdir(taxi.repository.path)
    exec(block("docs/metadata.md", "import ml_metadata"), {})
    assert "0.01" in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_repository_of_the_tests_is_not_the_checkouts():
    assert not (ROOT / ".zentfx").exists()
