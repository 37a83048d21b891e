"""What TensorFlow says of itself does not reach a user's terminal."""

import os
import subprocess
import sys
import textwrap

import pytest

from zentfx import Repository

pytest.importorskip("tensorflow")


def told(script, folder, **variables):
    """What a script of the user's writes to stderr."""
    (folder / "script.py").write_text(textwrap.dedent(script))
    environ = {name: text for name, text in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


LOADING = """
import os
import pandas
from zentfx import Repository

run = Repository({root!r}).get_runs()[0]
for step in run.steps.values():
    for output in step.outputs.values():
        output.load()
model = run.steps["trainer"].outputs["model"].load()
signature = model.saved_model.signatures["serve_rows"]  # kept until the interpreter ends
print(len(model.predict(pandas.read_csv({data!r}).head(5))))
print(os.environ.get("TF_CPP_MIN_LOG_LEVEL"))
"""


def test_who_loads_and_predicts_sees_nothing_of_it(taxi, tmp_path):
    script = LOADING.format(root=str(taxi.repository.path), data=str(taxi.data))
    assert told(script, tmp_path) == ("5\nNone\n", "")


TRAINING = """
from zentfx import pipeline, step

@step
def model():
    import keras
    import numpy as np
    made = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    made.compile("sgd", "mse")
    made.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return made

@step
def size(model) -> int:
    return model.count_params()

@pipeline(progress=None)
def training():
    size(model())

print(training().steps["size"].outputs["output"].load())
"""


def test_a_step_in_this_process_may_import_it(tmp_path):
    Repository(tmp_path)  # whoever makes it says so
    assert told(TRAINING, tmp_path) == ("8\n", "")


def test_who_asks_for_it_gets_it(tmp_path):
    script = "from zentfx.materializers.needs import need; need('tensorflow', 'look')"
    _, quiet = told(script, tmp_path)
    _, loud = told(script, tmp_path, TF_CPP_MIN_LOG_LEVEL="0")
    assert quiet == ""
    assert "TensorFlow binary" in loud
