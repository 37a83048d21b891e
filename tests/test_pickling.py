"""What a worker gets of a script: annotations that only their text names."""

import subprocess
import sys

from zentfx.pickling import dumps

SCRIPT = """
from __future__ import annotations

import dataclasses
import threading
import typing as t
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, List, Optional

from zentfx import BaseStep, Pipeline, step

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass
class Part:
    size: Optional[int] = None


@dataclasses.dataclass
class Config:
    part: Part
    many: "List[Part]"
    kind: ClassVar[int] = 3
    parent: Optional[Config] = None


class Base(BaseStep):
    def __init__(self, widths: Optional[List["float"]] = None, **kwargs):
        super().__init__(**kwargs)
        self.widths = widths


class Own(Base):
    outputs = {"text": "Text"}

    def __init__(self, size: t.Optional[int] = None, place: "Path | None" = None, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def plot(self, frame: pd.DataFrame) -> Own: ...

    def process(self, inputs, outputs):
        hints = t.get_type_hints(Config)
        text = f"{self.size!r} {self.widths!r} {hints['many'].__args__[0].__name__} {sorted(hints)}"
        (outputs["text"].path / "text").write_text(text)


@dataclasses.dataclass
class OfFields(BaseStep):
    outputs: ClassVar = {"text": "Text"}
    size: Optional[float] = None

    def process(self, inputs, outputs):
        (outputs["text"].path / "text").write_text(repr(self.size))


@step
def function(
    size: Optional[int], rate: "Annotated[float, 'a rate']" = 1
) -> Annotated[float, "sum"]:
    return size + rate


pipeline = Pipeline("annotated")
pipeline.add_step(Own(size=1, widths=[1]), "own")
pipeline.add_step(OfFields(size=1), "of_fields")
pipeline.add_step(function.as_step(size=3), "function")
run = pipeline.run(progress=None, max_workers=2)
for name in ("own", "of_fields"):
    print(name, (Path(run.steps[name].outputs["text"].uri) / "text").read_text())
print("function", run.steps["function"].outputs["sum"].load())
"""


def test_a_worker_knows_what_annotations_name_that_are_texts(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "own 1 [1.0] Part ['kind', 'many', 'parent', 'part']",
        "of_fields 1.0",
        "function 4.0",
    ]


LOCKED = """
import threading, typing

class Locked:
    lock = threading.Lock()

def reading(value: "Locked", more: "typing.Optional[int]" = None):
    return value
"""


def test_what_only_an_annotation_names_need_not_be_picklable(tmp_path):
    (tmp_path / "script.py").write_text(
        f"{LOCKED}\nimport sys; from zentfx.pickling import dumps\n"
        "sys.stdout.buffer.write(dumps(reading))"
    )
    pickled = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    code = (
        "import pickle, sys; function = pickle.load(sys.stdin.buffer); "
        "print(function(1), function.__annotations__['value'])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=pickled, capture_output=True, check=False)
    assert done.stdout.split() == [b"1", b"Locked"], done.stderr


def test_the_functions_own_annotations_stay_as_they_are():
    def local(value: "int | None" = None):
        return value

    before = dict(local.__annotations__)
    dumps(local)
    assert local.__annotations__ == before
