"""What the README and the guides show, run; and where their links lead."""

from __future__ import annotations

import importlib
import linecache
import re
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import small_taxi_csv
from zentfx import Pipeline, Pusher, Repository, TrainerStep
from zentfx.materializers import values
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
    assert run.steps["step"].outputs["counts"].metadata["train"] > 1000


def test_the_trainer_of_the_guide_keeps_the_rules():
    check_step(define(block("docs/steps.md", "class LinearTrainer"), "LinearTrainer")(l2=0.1))


def test_the_preprocessor_of_the_guide_runs(taxi):
    preprocessor = define(block("docs/steps.md", "class LogPreprocessor"), "LogPreprocessor")
    pipeline = taxi.pipeline.copy("Logarithm")
    pipeline.add_preprocessor(preprocessor(offset=2.0))
    pipeline.add_pusher(Pusher(str(taxi.repository.path / "serving_log")))
    run = pipeline.run(progress=None)
    made = run.steps["preprocessor"].outputs["transformed_examples"].load()["train"]
    raw = run.steps["split"].outputs["split_examples"].load()["train"]
    logarithms = np.log(raw["fare"].fillna(0) + 2)
    z_scores = (logarithms - logarithms.mean()) / logarithms.std(ddof=0)
    np.testing.assert_allclose(made["log_fare"], z_scores, atol=1e-4)


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


def test_the_guides_way_to_name_classes_works(taxi):
    graph = taxi.run.steps["preprocessor"].outputs["transform_graph"].load()
    names = [name.decode() for name in graph.vocabulary_by_name("payment_type")]
    raw = taxi.run.steps["split"].outputs["split_examples"].load()["train"]["payment_type"]
    assert names[:2] == list(raw.value_counts().index[:2])


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
