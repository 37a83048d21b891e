"""Which files a step is taken to read, by the texts in its arguments and its code."""

import importlib
import sys
import textwrap
from pathlib import Path

import pytest

from zentfx import BaseStep, Pipeline, Repository, pipeline, step
from zentfx.errors import ZenTFXWarning
from zentfx.pipelines import file_warnings
from zentfx.source_code.named_files import files_in_arguments, files_in_code

HEAD = """
import os, shutil
from pathlib import Path
import pandas as pd
from zentfx import BaseStep, step
import zt_conf
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Loads a module in which a step is called ``work``; there are some files beside it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("d.csv", "e.csv", "run.log"):
        (tmp_path / name).write_text("a\n1\n")
    (tmp_path / "folder.d").mkdir()
    (tmp_path / "zt_conf.py").write_text("DATA = 'd.csv'\nOTHER = 'e.csv'\n")

    def loaded(text):
        (tmp_path / "zt_files.py").write_text(HEAD + textwrap.dedent(text))
        work = importlib.import_module("zt_files").work
        return getattr(work, "step_class", work)

    yield loaded
    for name in ("zt_files", "zt_conf"):
        sys.modules.pop(name, None)


def function(body, before=""):
    return f"{before}\n@step\ndef work() -> int:\n    {body}\n    return 1\n"


READ = {
    "a literal": function("pd.read_csv('d.csv')"),
    "beside a column that is called like a mode": function("pd.read_csv('d.csv', index_col='a')"),
    "opened": function("open('d.csv').read()"),
    "opened to read": function("open('d.csv', 'rb').read()"),
    "as a path": function("Path('d.csv').read_text()"),
    "in a tuple": function("[pd.read_csv(x) for x in ('d.csv', 'none.csv')]"),
    "in a function inside": function("(lambda: pd.read_csv('d.csv'))()"),
    "what is written is made of it": function("pd.read_csv('d.csv').to_csv('new.csv')"),
    "the same in two lines": function("f = pd.read_csv('d.csv')\n    f.to_csv('new.csv')"),
    "given to what writes": function("print(pd.read_csv('d.csv')); shutil.copy('d.csv', 'new')"),
    "of the module": function("pd.read_csv(DATA)", "DATA = 'd.csv'"),
    "a path of the module": function("pd.read_csv(DATA)", "DATA = Path('d.csv').absolute()"),
    "in a list of the module": function("pd.read_csv(DATA[0])", "DATA = ['d.csv']"),
    "of another module": function("pd.read_csv(zt_conf.DATA)"),
    "in a helper": function("read()", "def read(): return pd.read_csv('d.csv')"),
    "in a step that is called": function("read()", "@step\ndef read():\n    return open('d.csv')"),
    "in a class": """
        class work(BaseStep):
            outputs = {"o": "T"}
            place = "d.csv"
            def process(self, inputs, outputs):
                (outputs["o"].path / "place").write_text(Path(self.place).read_text())
        """,
    "in its base": """
        class Base(BaseStep):
            def read(self): return pd.read_csv("d.csv")
        class work(Base):
            def process(self, inputs, outputs): self.read()
        """,
}


@pytest.mark.parametrize("case", READ)
def test_what_is_read_is_found(load, case):
    found = files_in_code(load(READ[case]))
    assert [Path(item.text).name for item in found] == ["d.csv"]


NOT_READ = {
    "nothing": function("pass"),
    "nothing of the name": function("pd.read_csv('none.csv')"),
    "a folder": function("os.listdir('folder.d')"),
    "a word": function("print('d')"),
    "a log": function("open('run.log').read()"),
    "this file": function("Path(__file__).parent"),
    "written": function("pd.DataFrame().to_csv('d.csv')"),
    "opened to write": function("open('d.csv', 'w').write('x')"),
    "opened to append": function("open('d.csv', mode='ab').write(b'x')"),
    "written as a path": function("Path('d.csv').write_text('x')"),
    "by a method of a path": function("with Path('d.csv').open('w') as f: f.write('x')"),
    "behind a name": function("p = Path('.') / 'd.csv'\n    p.write_text('x')"),
    "copied to": function("shutil.copy('none.csv', 'd.csv')"),
    "by a helper": function("put('d.csv')", "def put(p): open(p, 'w').write('x')"),
    "of the module": function("open(OUT, 'w').write('x')", "OUT = 'd.csv'"),
    "of another module": function("open(zt_conf.DATA, 'w').write('x')"),
    "of another step": function("pass", "@step\ndef other():\n    return open('d.csv')"),
    "outside of steps": function("pass", "DATA = pd.read_csv('d.csv')"),
}


@pytest.mark.parametrize("case", NOT_READ)
def test_what_is_not_read_is_not(load, case):
    assert files_in_code(load(NOT_READ[case])) == []


ARGUMENTS = [
    ("def work(path): pd.read_csv(path)", {"path": "d.csv"}, ["path"]),
    ("def work(path): return path", {"path": "d.csv"}, ["path"]),
    ("def work(paths): pass", {"paths": ["none.csv", {"a": "d.csv"}]}, ["paths"]),
    ("def work(path): pd.DataFrame().to_csv(path)", {"path": "d.csv"}, []),
    ("def work(path): pass", {"path": "folder.d"}, []),
    ("def work(path): pass", {"path": "none.csv"}, []),
    ("def work(output_file): pass", {"output_file": "d.csv"}, []),
    ("def work(path): pass", {"path": Path("d.csv")}, []),
    ("def work(n): pass", {"n": 3}, []),
]


@pytest.mark.parametrize(("text", "arguments", "names"), ARGUMENTS)
def test_arguments_that_are_read(load, text, arguments, names):
    cls = load(f"@step\n{text}\n")
    assert [item.name for item in files_in_arguments(cls, arguments)] == names


CLASS = """
class work(BaseStep):
    outputs = {{"o": "T"}}
    def __init__(self, path: str):
        self._place = path
    def process(self, inputs, outputs):
        {}
"""


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("(outputs['o'].path / 'x').write_text(Path(self._place).read_text())", ["path"]),
        ("outputs['o'].save(pd.read_csv(self._place))", ["path"]),
        ("Path(self._place).write_text('x')", []),
    ],
)
def test_arguments_of_classes(load, body, names):
    cls = load(CLASS.format(body))
    assert [item.name for item in files_in_arguments(cls, {"path": "d.csv"})] == names


@step
def total(path: str) -> int:
    return sum(map(int, Path(path).read_text().split()))


@step
def literal() -> str:
    return Path("d.csv").read_text()


@step
def of_path(path: Path) -> int:
    return sum(map(int, path.read_text().split()))


class TestWarnings:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(file_warnings, "_told", set())
        Path("d.csv").write_text("1")
        Repository(tmp_path)

    def test_one_for_a_step_and_a_name(self):
        @pipeline(progress=None)
        def reading():
            total("d.csv")
            total.with_options(name="other")("d.csv")

        with pytest.warns(ZenTFXWarning) as told:
            reading()
            reading()
        assert [str(item.message).partition(":")[0] for item in told] == [
            "Step 'total'",
            "Step 'other'",
        ]
        assert "argument 'path' is a str that names a file, 'd.csv'" in str(told[0].message)
        assert "as pathlib.Path: then the file's content counts" in str(told[0].message)
        assert {item.filename for item in told} == {__file__}

    def test_of_a_literal(self):
        @pipeline(progress=None)
        def reading():
            literal()

        with pytest.warns(ZenTFXWarning, match="Step 'literal': its code names a file, 'd.csv'"):
            reading()

    def test_none_of_what_counts_or_is_never_reused(self):
        # A warning of ours is an error here.
        @pipeline(progress=None)
        def reading():
            of_path("d.csv")
            total.with_options(enable_cache=False)("d.csv")
            literal.with_options(code_version="1")()

        assert reading().status == "completed"

    def test_what_is_done_about_it_helps(self):
        @pipeline(progress=None)
        def reading():
            of_path("d.csv")

        for number in (1, 5):
            Path("d.csv").write_text(str(number))
            assert reading().steps["of_path"].outputs["output"].load() == number


def test_shipped_steps_are_not_looked_into(tmp_path, monkeypatch):
    from zentfx.steps.node import Node

    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text("a\n1\n")
    from zentfx import CSVDatasource, Pusher
    from zentfx.source_code.identity import code_of

    for made in (CSVDatasource("d.csv", "d.csv"), Pusher("d.csv")):
        file_warnings.warn_of_files([Node("made", made, {}, code_of(type(made)))])


class Quiet(BaseStep):
    outputs = {"o": "T"}

    def __init__(self, path: str):
        self.path = path

    def process(self, inputs, outputs):
        (outputs["o"].path / "x").write_text(Path(self.path).read_text())


def test_a_class_step_is_warned_of_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text("1")
    made = Pipeline("classes", repository=Repository(tmp_path))
    made.add_step(Quiet("d.csv"), "quiet")
    with pytest.warns(ZenTFXWarning, match="Step 'quiet': its argument 'path'"):
        made.run(progress=None)
