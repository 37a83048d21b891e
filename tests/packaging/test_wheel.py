"""The wheel, as a user gets it: what is in it, and what it does in clean environments.

Everything is installed from the locks in requirements/, as ./dev does it; nothing of the checkout
is on the path.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.conftest import Taxi

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
CONSTRAINTS = REQUIREMENTS / "build-constraints.txt"

pytestmark = pytest.mark.slow

PIPELINE = """
from zentfx import (
    CSVDatasource,
    RandomSplit,
    Repository,
    StandardPreprocessor,
    TrainerStep,
    TrainingPipeline,
)

repo = Repository(".")
p = TrainingPipeline(name="A")
p.add_datasource(CSVDatasource(name="d", path="rows.csv"))
p.add_split(RandomSplit(split_map={"train": 0.7, "eval": 0.3}))
p.add_preprocessor(StandardPreprocessor(features=["x"], labels=["y"]))
p.add_trainer(TrainerStep())
"""

WITHOUT_TFX = """
import importlib.util

for heavy in ("tensorflow", "apache_beam"):
    assert importlib.util.find_spec(heavy) is None, f"{heavy} is part of a base install"
{pipeline}
from zentfx.errors import MissingDependencyError

assert TrainerStep(epochs=3).arguments["epochs"] == 3
try:
    p.run()
except MissingDependencyError as error:
    assert "zentfx[tfx]" in str(error), str(error)

assert repo.get_runs() == []

from zentfx import BaseStep, Pipeline

class Count(BaseStep):
    outputs = {"count": "Count"}
    def __init__(self, upto: int):
        self.upto = upto
    def process(self, inputs, outputs):
        (outputs["count"].path / "count").write_text(str(sum(range(self.upto))))

for expected in ("completed", "cached"):
    counting = Pipeline("Plain", repository=repo)
    counting.add_step(Count(10), "count")
    assert counting.run(progress=None).steps["count"].status == expected

import sys

import functions  # the listing of docs/artifacts.md, with pandas and scikit-learn

assert functions.run.steps["score"].outputs["output"].load() > 0.999
again = functions.line(intercept=False)
assert {step.status for step in again.steps.values()} == {"cached"}, again.steps
assert not {"tensorflow", "apache_beam"} & sys.modules.keys()

stored = Repository("stored")
comparison = stored.compare_training_runs()
frame = comparison.to_dataframe()
first = frame[frame["pipeline"] == "Pipeline A"].iloc[0]
assert first["metrics.evaluator.mean_squared_error"] > 0, first
assert first["status"] == "completed", first
assert "Pipeline A" in comparison.save("compare.html").read_text()
assert "Pipeline A" in repr(comparison)
assert stored.get_pipeline_by_name("Pipeline A").copy("B").steps["trainer"].lr == 0.01
print("refused to train, ran plain steps, and compared")
"""

WITH_TFX = """
import pandas as pd
{pipeline}
run = p.run()
assert run.status == "completed", run.status
model = run.steps["trainer"].outputs["model"].load()
rows = pd.read_csv("rows.csv").head(5)
assert model.predict(rows[["x"]]).shape == (5, 1)
print("predicted")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy: a build leaves folders, from which the next one takes files."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(
        ROOT / "zentfx", source / "zentfx", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    target = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, source)
    (built,) = target.glob("*.whl")
    return built


def test_wheel_has_the_whole_package_and_nothing_else(wheel: Path) -> None:
    in_checkout = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "zentfx").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {"zentfx/__init__.py", "zentfx/py.typed"} <= in_checkout
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    about = {name for name in in_wheel if name.split("/")[0].endswith(".dist-info")}
    assert in_wheel - about == in_checkout
    assert any(name.endswith("LICENSE") for name in about)


def test_wheel_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = Parser().parsestr(archive.read(folder).decode())
        entry_points = archive.read(folder.replace("METADATA", "entry_points.txt")).decode()
    needed = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    base = {one.name for one in needed if one.marker is None}
    assert {"ml-pipelines-sdk", "ml-metadata"} <= base
    assert not {"tfx", "tensorflow", "apache-beam"} & base
    assert "tfx" in {one.name for one in needed if one.marker == Marker('extra == "tfx"')}
    assert metadata["License"] == "Apache-2.0"
    assert "zentfx = zentfx.cli:main" in entry_points


@pytest.mark.timeout(900)
def test_base_install_reads_compares_and_names_the_extra(
    wheel: Path, tmp_path: Path, taxi: Taxi
) -> None:
    stored = tmp_path / "place" / "stored"
    stored.parent.mkdir()
    shutil.copytree(taxi.repository.path / ".zentfx", stored / ".zentfx")
    python = make_environment(tmp_path / "env", "base.txt", wheel)
    page = (ROOT / "docs/artifacts.md").read_text(encoding="utf-8")
    listing = page.split("```python\n")[1].split("```")[0]
    (stored.parent / "functions.py").write_text(listing, encoding="utf-8")
    assert (
        run_script(python, tmp_path, WITHOUT_TFX)
        == "refused to train, ran plain steps, and compared"
    )


@pytest.mark.timeout(1800)
def test_full_install_trains_and_predicts(wheel: Path, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "env", "tfx-1.16.txt", wheel)
    assert run_script(python, tmp_path, WITH_TFX) == "predicted"
    shown = run(tmp_path / "env/bin/zentfx", "--help", cwd=tmp_path)
    assert "demo" in shown


def run_script(python: Path, folder: Path, template: str) -> str:
    """The last line that a script prints, run in a folder of its own that has a small CSV."""
    place = folder / "place"
    place.mkdir(exist_ok=True)
    rows = [f"{i / 200:.3f},{2 * i / 200 + 1:.3f}" for i in range(200)]
    (place / "rows.csv").write_text("\n".join(["x,y", *rows, ""]))
    script = place / "script.py"
    script.write_text(template.replace("{pipeline}", PIPELINE))
    lines = run(python, script, cwd=place).strip().splitlines()
    return lines[-1] if lines else ""


def make_environment(folder: Path, lock: str, wheel: Path) -> Path:
    """An environment with what a lock says and the wheel; returns its Python.

    As ./dev does it: with uv, or with pip where there is no uv or it cannot reach the packages.
    """
    if uv := find_uv():
        try:
            return make_with_uv(uv, folder, REQUIREMENTS / lock, wheel)
        except pytest.fail.Exception as failure:
            sys.stderr.write(f"{failure}\nuv failed; trying pip.\n")
            shutil.rmtree(folder, ignore_errors=True)
    return make_with_pip(folder, REQUIREMENTS / lock, wheel)


def make_with_uv(uv: str | Path, folder: Path, lock: Path, wheel: Path) -> Path:
    python = folder / "bin" / "python"
    run(uv, "venv", "--quiet", "--no-project", "--python", sys.executable, folder)
    install = [uv, "pip", "install", "--quiet", "--python", python]
    run(*install, "--build-constraints", CONSTRAINTS, "--require-hashes", "-r", lock)
    run(*install, "--no-deps", wheel)
    return python


def make_with_pip(folder: Path, lock: Path, wheel: Path) -> Path:
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    install = [sys.executable, "-m", "pip", "--python", python, "--quiet", "install"]
    # The lock's pip has no option for what source packages are built with, but takes it from here.
    # As an address, because the variable is split at spaces.
    run(*install, "--require-hashes", "-r", lock, PIP_CONSTRAINT=CONSTRAINTS.as_uri())
    run(*install, "--no-deps", wheel)
    return python


def find_uv() -> str | Path | None:
    """The uv that ./dev would install with."""
    named = os.environ.get("ZENTFX_UV")
    if named:
        return None if named == "no" else named
    fetched = ROOT / ".dev/tools/bin/uv"
    return shutil.which("uv") or (fetched if fetched.exists() else None)


def run(*command: str | Path, cwd: Path | None = None, **variables: str) -> str:
    """What a command prints; fails the test with all of its output where it fails."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "ZENTFX_", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shown = " ".join(map(str, command))
        pytest.fail(f"{shown}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout
