"""What made a result: versions of packages, and results of versions that are not here."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest

from tests.e2e.function_steps import numbers, quiet, statuses
from zentfx import step
from zentfx.errors import DataError
from zentfx.records.schema import Artifact

ROOT = Path(__file__).parents[2]

STEPS = """
import warnings
from zentfx import Repository, pipeline, step

warnings.simplefilter("ignore")

@step
def fit(x: int = 1):
    from zt_boost import Booster
    return Booster(x)

@step
def name(model) -> str:
    import yaml
    return yaml.dump(model.x)

@step
def plain() -> int:
    return 1

@pipeline(progress=None)
def p():
    name(fit())
    plain()
"""


@pytest.fixture
def project(tmp_path):
    """A folder with steps, and runs code there; with a package in its site-packages."""
    (tmp_path / "own.py").write_text(STEPS)
    packages = tmp_path / "site-packages"

    def run(version, code):
        for old in packages.glob("zt*/*"):
            old.unlink()
        for old in packages.glob("zt*"):
            old.rmdir()
        if version is not None:
            (packages / "zt_boost").mkdir(parents=True)
            (packages / "zt_boost" / "__init__.py").write_text(
                "class Booster:\n    def __init__(self, x): self.x = x\n"
            )
            # Its name is not that of its package, as scikit-learn's is not.
            about = packages / f"ztb_py-{version}.dist-info"
            about.mkdir()
            metadata = f"Metadata-Version: 2.1\nName: ztb-py\nVersion: {version}\n"
            (about / "METADATA").write_text(metadata)
            (about / "top_level.txt").write_text("zt_boost\n")
        path = os.pathsep.join(map(str, (packages, ROOT)))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", "import json\n" + textwrap.dedent(code)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


RUN = """
    from own import p
    run = p()
    print(json.dumps({
        name: [item.status, item.environment, item.log(), item.fingerprint]
        for name, item in run.steps.items()
    }))
"""


def test_packages_that_the_code_imports_and_returns_are_recorded(project):
    first = project("1.2.3", RUN)
    assert first["fit"][1]["ztb-py"] == "1.2.3"
    assert "PyYAML" in first["name"][1]
    assert "ztb-py" not in first["name"][1]
    assert not {"ztb-py", "PyYAML"} & first["plain"][1].keys()
    # Another minor version loads: the step is reused, and its environment stays what made it.
    second = project("1.3", RUN)
    assert {item[0] for item in second.values()} == {"cached"}
    assert second["fit"][1]["ztb-py"] == "1.2.3"
    assert second["fit"][3] == first["fit"][3]


def test_a_result_that_could_not_be_loaded_is_not_reused(project):
    project("1.2.3", RUN)
    again = project("2.0", RUN)
    assert {name: item[0] for name, item in again.items()} == {
        "fit": "completed",
        "name": "completed",
        "plain": "cached",
    }
    said = "The cached result is not used: output was pickled with ztb-py 1.2.3; here is ztb-py 2.0"
    assert said in again["fit"][2]
    assert again["fit"][1]["ztb-py"] == "2.0"


def test_a_value_that_cannot_be_loaded_names_the_environment_that_wrote_it(project):
    project("1.2.3", RUN)
    code = """
        from zentfx import Repository
        try:
            Repository().get_artifact_version("p::fit::output").load()
        except Exception as error:
            print(json.dumps([type(error).__name__, str(error)]))
    """
    kind, said = project(None, code)
    version = ".".join(map(str, sys.version_info[:3]))
    assert kind == "DataError"
    assert "No module named 'zt_boost'" in said
    assert f"It was pickled with Python {version}, ztb-py 1.2.3; here is Python {version}." in said


class Point:
    def __init__(self, x):
        self.x = x


@step
def point(x: int = 1):
    return Point(x)


@step
def frame() -> pd.DataFrame:
    return pd.DataFrame({"a": [1, "x"]})


def change(repository, artifact, **properties):
    """Records something else of an artifact, as another environment would have."""
    client = repository.mlmd
    [proto] = client.get_artifacts_by_id([artifact.id])
    for name, value in properties.items():
        proto.custom_properties[name].string_value = value
    client.put_artifacts([proto])


@pytest.mark.filterwarnings("ignore:There is no materializer")
@pytest.mark.parametrize(
    ("made", "other"),
    [(point, {"python": "3.9.1"}), (frame, {"numpy": "99.0"}), (frame, {"pandas": "0.25.3"})],
)
def test_a_pickle_of_another_python_or_numpy_is_not_reused(repository, made, other):
    @quiet
    def p():
        made()
        numbers(3)

    run = p()
    artifact = run.steps[made.__name__].outputs["output"]
    assert artifact.metadata[Artifact.PICKLED] == 1
    versions = json.loads(artifact.metadata[Artifact.ENVIRONMENT])
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    change(repository, artifact, **{Artifact.ENVIRONMENT: json.dumps({**versions, **other})})
    again = p()
    assert statuses(again) == {made.__name__: "completed", "numbers": "cached"}
    assert (
        f"was pickled with {'Python' if 'python' in other else next(iter(other))}"
        in again.steps[made.__name__].log()
    )
    assert set(statuses(p()).values()) == {"cached"}


def test_what_is_no_pickle_is_reused_whatever_wrote_it(repository):
    @quiet
    def p():
        numbers(3)

    artifact = p().steps["numbers"].outputs["numbers"]
    assert Artifact.PICKLED not in artifact.metadata
    change(repository, artifact, **{Artifact.ENVIRONMENT: '{"python": "3.9.1", "numpy": "99.0"}'})
    assert statuses(p()) == {"numbers": "cached"}


@pytest.mark.filterwarnings("ignore:There is no materializer")
def test_any_failure_of_unpickling_is_a_data_error(repository, monkeypatch):
    @quiet
    def p():
        point()

    artifact = p().steps["point"].outputs["output"]
    # A class that is another by now: what it makes of the state raises anything.
    monkeypatch.setattr(Point, "__setstate__", lambda self, state: 1 / 0, raising=False)
    with pytest.raises(DataError, match="ZeroDivisionError: division by zero.*pickled with Python"):
        artifact.load()
    monkeypatch.undo()
    assert isinstance(pickle.loads(pickle.dumps(artifact.load())), Point)
