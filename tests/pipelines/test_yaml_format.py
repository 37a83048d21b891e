"""The YAML form of pipelines: round trips, hand edits, and errors with their line."""

import contextlib
import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from zentfx import (
    BaseStep,
    CSVDatasource,
    Pipeline,
    Pusher,
    RandomSplit,
    Secret,
    StandardPreprocessor,
    TFMAEvaluator,
    TrainerStep,
    TrainingPipeline,
)
from zentfx.errors import ConfigError, DataNotFoundError, ZenTFXError
from zentfx.pipelines.yaml_format import digest


class Anything(BaseStep):
    outputs = {"out": "Out"}

    def __init__(
        self,
        value=None,
        number: float = 0,
        data: dict[str, Any] | None = None,
        path: Path | None = None,
        place: Path | str = "",
        token: Secret | None = None,
        many: list[Path] | None = None,
        pair: tuple[Path, str] | None = None,
        by_name: dict[str, list[Path]] | None = None,
    ):
        self.value = value
        self.path = path


class Fixing(Anything):
    def __init__(self, size: int = 1, **kwargs):
        super().__init__(value=[size, size], **kwargs)


class Reading(BaseStep):
    inputs = {"one": "Out", "two": "Out"}
    optional_inputs = frozenset({"two"})


def taxi(folder):
    pipeline = TrainingPipeline("Pipeline A")
    pipeline.add_datasource(CSVDatasource(name="taxi", path=folder / "data/taxi.csv"))
    pipeline.add_split(RandomSplit({"train": 0.7, "eval": 0.3}, seed=7))
    pipeline.add_preprocessor(
        StandardPreprocessor(
            ["miles", "name"], ["tips"], {"miles": {"method": "bucketize", "num_buckets": 3}}
        )
    )
    pipeline.add_trainer(TrainerStep(lr=1e-07, hidden_layers=[16], metrics=None))
    pipeline.add_evaluator(TFMAEvaluator({"tips": ["mse"]}, [["name"]], {"mse": {"upper": 0.5}}))
    pipeline.add_pusher(Pusher(folder="serving"))
    return pipeline


def same_content(left, right):
    assert type(left) is type(right)
    assert (left.name, left.enable_cache) == (right.name, right.enable_cache)
    assert list(left.steps) == list(right.steps)
    assert left.wiring() == right.wiring()
    for name, step in left.steps.items():
        other = right.steps[name]
        assert type(step) is type(other)
        assert step.arguments == other.arguments
        assert step.derived == other.derived
        assert step.options == other.options


def one_step(step, **options):
    pipeline = Pipeline("P", **options)
    pipeline.add_step(step, "step")
    return pipeline


def back(pipeline):
    return Pipeline.from_yaml(pipeline.to_yaml())


# Texts that YAML, or PyYAML, takes for something else unless they are quoted or escaped.
AWKWARD = [
    *("", " ", "\t", "\n", "a\n", "a\n\nb ", "\0", "\x7f", "\x85", "a\x85b", "\u2028", "\u2029"),
    *("yes", "no", "on", "null", "~", "1", "1.0", "1e3", "1_0", "1:30", "0x1F", "2020-01-01"),
    *("a: b", "- a", "#x", "a #x", "'", '"', "%x", "@", "`", "!x", "&a", "*a", "<<", "=", "?"),
    *("...", "---", "\ufeff", "\u00a0", "\U0001f426"),
]
texts = st.text(st.characters(codec="utf-8"))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from(AWKWARD)
    | st.builds(Secret, texts.filter(bool))
)
keys = (texts | scalars.filter(lambda value: isinstance(value, str))).filter(
    lambda key: key not in ("$path", "$secret")
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


class TestRoundTrips:
    def test_a_training_pipeline_comes_back(self, tmp_path):
        same_content(back(taxi(tmp_path)), taxi(tmp_path))

    def test_a_training_pipeline_comes_back_from_its_file(self, tmp_path):
        file = tmp_path / "pipeline.yaml"
        text = taxi(tmp_path).to_yaml(file)
        assert file.read_text(encoding="utf-8") == text
        same_content(Pipeline.from_yaml(file), taxi(tmp_path))
        same_content(Pipeline.from_yaml(str(file)), taxi(tmp_path))

    def test_wiring_and_options_come_back(self):
        pipeline = Pipeline("P", enable_cache=False)
        pipeline.add_step(Anything().with_options(enable_cache=True, code_version="2"), "b")
        pipeline.add_step(Anything(), "a")
        pipeline.add_step(Reading(), "c", {"two": "a.out", "one": "b.out"})
        same_content(back(pipeline), pipeline)

    def test_the_order_of_steps_comes_back(self):
        pipeline = Pipeline("P")
        for name in ("z", "a", "m"):
            pipeline.add_step(Anything(), name)
        assert list(back(pipeline).steps) == ["z", "a", "m"]

    def test_what_a_subclass_fixes_is_not_written_and_comes_back(self):
        pipeline = one_step(Fixing(size=3))
        assert "value" not in yaml.safe_load(pipeline.to_yaml())["steps"]["step"]["args"]
        same_content(back(pipeline), pipeline)

    @given(values)
    def test_any_argument_comes_back_exactly(self, value):
        step = back(one_step(Anything(value=value))).steps["step"]
        assert repr(step.arguments) == repr(Anything(value=value).arguments)

    @given(values)
    def test_writing_what_was_read_gives_the_same_text(self, value):
        text = one_step(Anything(value=value)).to_yaml()
        again = Pipeline.from_yaml(text).to_yaml()
        assert again == text
        assert digest(again) == digest(text)

    @given(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=63).filter(
            lambda name: name.strip() and name.isprintable()
        )
    )
    def test_any_name_comes_back(self, name):
        pipeline = Pipeline(name)
        pipeline.add_step(Anything())
        assert back(pipeline).name == name


class TestText:
    def test_it_is_what_the_documentation_shows(self, tmp_path):
        text = taxi(tmp_path).to_yaml(base=tmp_path)
        assert text.startswith(
            "zentfx: 1\nname: Pipeline A\ntype: zentfx.TrainingPipeline\n"
            "enable_cache: true\nsteps:\n"
        )
        data = yaml.safe_load(text)
        assert list(data["steps"]) == list(TrainingPipeline.implied_inputs)
        assert data["steps"]["datasource"] == {
            "source": "zentfx.CSVDatasource",
            "args": {"name": "taxi", "path": "data/taxi.csv"},
        }
        assert data["steps"]["trainer"]["args"]["hidden_layers"] == [16]
        assert data["steps"]["trainer"]["args"]["metrics"] is None
        assert "inputs" not in data["steps"]["trainer"]

    def test_paths_below_the_files_folder_are_relative_and_others_absolute(self, tmp_path):
        (tmp_path / "sub").mkdir()
        inside, outside = tmp_path / "sub/x.csv", tmp_path / "y.csv"
        text = one_step(Anything(path=inside, value=outside)).to_yaml(tmp_path / "sub/p.yaml")
        args = yaml.safe_load(text)["steps"]["step"]["args"]
        assert args["path"] == "x.csv"
        assert args["value"] == {"$path": str(outside)}

    def test_without_a_file_paths_are_absolute(self, tmp_path):
        assert f"path: {tmp_path}/data/taxi.csv" in taxi(tmp_path).to_yaml()

    def test_a_relative_base_starts_from_the_working_directory(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert "path: data/taxi.csv" in taxi(tmp_path).to_yaml(base=".")
        assert "path: data/taxi.csv" in taxi(tmp_path).to_yaml("p.yaml")

    def test_a_secret_shows_its_variable_and_never_its_value(self, monkeypatch):
        monkeypatch.setenv("ZT_TOKEN", "hidden value")
        pipeline = one_step(Anything(token=Secret("ZT_TOKEN"), value=[Secret("ZT_TOKEN")]))
        text = pipeline.to_yaml()
        assert "ZT_TOKEN" in text
        assert "hidden value" not in text
        same_content(back(pipeline), pipeline)


class TestHandEdits:
    @staticmethod
    def load(args="", more=""):
        return Pipeline.from_yaml(
            f"zentfx: 1\nname: P\nsteps:\n  step:\n    source: {Anything.__module__}.Anything\n"
            f"    args: {{{args}}}\n{more}"
        )

    def test_defaults_may_be_left_out(self):
        pipeline = Pipeline.from_yaml(
            "zentfx: 1\nname: P\nsteps: {s: {source: zentfx.StatisticsStep,"
            " inputs: {examples: d.examples}},\n d: {source: zentfx.CSVDatasource,"
            " args: {name: x, path: y}}}"
        )
        assert type(pipeline) is Pipeline
        assert pipeline.enable_cache is True
        assert pipeline.steps["s"].arguments == {"sample_rate": 1.0}

    @pytest.mark.parametrize(
        ("args", "name", "value"),
        [
            ("number: 1", "number", 1.0),
            ("number: 1.5e-3", "number", 0.0015),
            ("value: yes", "value", True),
            ("value: 'yes'", "value", "yes"),
            ("value: [1, 2.5, x]", "value", [1, 2.5, "x"]),
            ("value: null", "value", None),
            ("value: ", "value", None),
            ("value: 0x10", "value", 16),
            ("data: {a: {b: [1]}}", "data", {"a": {"b": [1]}}),
            ("value: !!str 5", "value", "5"),
            ("value: &x [1], data: {a: *x}", "data", {"a": [1]}),
        ],
    )
    def test_values_are_read_as_yaml_has_them(self, args, name, value):
        argument = self.load(args).steps["step"].arguments[name]
        assert argument == value
        assert type(argument) is type(value)

    def test_comments_and_an_order_of_ones_own_are_fine(self):
        pipeline = Pipeline.from_yaml(
            "# mine\nsteps:\n  step: {args: {value: 1}, source: "
            f"{Anything.__module__}.Anything}}  # here\nname: P\nzentfx: 1\n"
        )
        assert pipeline.steps["step"].arguments["value"] == 1

    def test_options_are_read(self):
        options = self.load(more="    options: {enable_cache: false, code_version: '3'}\n")
        assert options.steps["step"].options.enable_cache is False
        assert options.steps["step"].options.code_version == "3"

    def test_a_changed_value_in_a_written_file_is_read(self, tmp_path):
        file = tmp_path / "pipeline.yaml"
        taxi(tmp_path).to_yaml(file)
        file.write_text(file.read_text().replace("epochs: 1", "epochs: 5"))
        assert Pipeline.from_yaml(file).steps["trainer"].epochs == 5

    def test_relative_paths_start_from_the_files_folder(self, tmp_path, monkeypatch):
        (tmp_path / "sub").mkdir()
        monkeypatch.chdir(tmp_path)
        file = tmp_path / "sub/pipeline.yaml"
        file.write_text(
            f"zentfx: 1\nname: P\nsteps:\n  step:\n    source: {Anything.__module__}.Anything\n"
            "    args: {path: data/../x.csv, value: {$path: y.csv}, data: {a: [{$path: z.csv}]}}\n"
        )
        step = Pipeline.from_yaml("sub/pipeline.yaml").steps["step"]
        assert step.path == tmp_path / "sub/x.csv"
        assert step.arguments["value"] == tmp_path / "sub/y.csv"
        assert step.arguments["data"] == {"a": [tmp_path / "sub/z.csv"]}

    def test_paths_in_containers_are_plain_texts_too(self, tmp_path):
        (tmp_path / "sub").mkdir()
        values = {
            "many": [tmp_path / "sub/a", tmp_path / "sub/b"],
            "pair": (tmp_path / "sub/c", "d"),
            "by_name": {"e": [tmp_path / "sub/e"]},
        }
        file = tmp_path / "sub/p.yaml"
        args = yaml.safe_load(one_step(Anything(**values)).to_yaml(file))["steps"]["step"]["args"]
        assert args["many"] == ["a", "b"]
        assert args["pair"] == ["c", "d"]
        assert args["by_name"] == {"e": ["e"]}
        read = Pipeline.from_yaml(file).steps["step"].arguments
        assert {name: read[name] for name in values} == values

    def test_relative_paths_of_a_text_start_from_the_working_directory(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert self.load("path: x.csv").steps["step"].path == tmp_path / "x.csv"

    def test_a_text_for_a_parameter_that_takes_texts_too_stays_one(self):
        assert self.load("place: x.csv").steps["step"].arguments["place"] == "x.csv"

    def test_a_path_in_the_home_folder_is_found(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        assert self.load("path: ~/x.csv").steps["step"].path == tmp_path / "x.csv"

    def test_a_file_that_moved_finds_what_moved_with_it(self, tmp_path):
        (tmp_path / "old/data").mkdir(parents=True)
        (tmp_path / "old/data/taxi.csv").write_text("a\n1\n")
        taxi(tmp_path / "old").to_yaml(tmp_path / "old/p.yaml")
        (tmp_path / "old").rename(tmp_path / "new")
        source = Pipeline.from_yaml(tmp_path / "new/p.yaml").steps["datasource"]
        assert source.columns() == {"a": "int"}


HEAD = "zentfx: 1\nname: P\nsteps:\n"
STATISTICS = "  s:\n    source: zentfx.StatisticsStep\n    args:\n"
MINE = __name__


class TestErrors:
    """Each text with the line that its error names, and what it says."""

    CASES = {
        "a syntax error": (HEAD + "  s: }\n  t: 1\n", 4, "not valid YAML"),
        "a tab": (HEAD + "\ts: 1\n", 4, "not valid YAML"),
        "two documents": (HEAD + "  {}\n---\na: 1\n", 5, "not valid YAML"),
        "no text": ("\n", 1, "expected 'name: value' lines; None came"),
        "a list": ("- zentfx\n- 1\n", 1, "expected 'name: value' lines"),
        "a key twice": (HEAD + "  {}\nname: Q\n", 5, "the key 'name' stands twice"),
        "a step twice": (
            HEAD + "  s: {source: zentfx.SchemaStep}\n  s: {source: zentfx.SchemaStep}\n",
            5,
            "the key 's' stands twice",
        ),
        "an argument twice": (
            HEAD + STATISTICS + "      sample_rate: 1\n      sample_rate: 0.5\n",
            8,
            "the key 'sample_rate' stands twice",
        ),
        "an unknown key": ("zentfx: 1\nnam: P\nsteps: {}\n", 2, "unknown key 'nam'.*'name'"),
        "a key that is no text": ("zentfx: 1\n5: P\nsteps: {}\n", 2, "unknown key 5"),
        "a key that is a list": ("zentfx: 1\n[a]: P\n", 2, "a key must be a plain name"),
        "a key that is a mapping": ("zentfx: 1\n? {a: b}\n: P\n", 2, "a key must be a plain name"),
        "no version": ("name: P\nsteps: {}\n", 1, "'zentfx' is missing"),
        "a newer version": (
            "name: P\nzentfx: 2\n",
            2,
            "format version 2; this zentfx reads version 1",
        ),
        "a version that is a text": ("zentfx: '1'\n", 1, "zentfx must be int; '1' came"),
        "a version that is a bool": ("zentfx: true\n", 1, "zentfx must be int; True came"),
        "no name": ("zentfx: 1\nsteps: {}\n", 1, "'name' is missing"),
        "a name that is a number": (
            "zentfx: 1\nname: 5\nsteps: {}\n",
            2,
            "name must be str; 5 came",
        ),
        "a name that cannot be shown": (
            'zentfx: 1\nsteps: {}\nname: "a\\nb"\n',
            3,
            "needs a name of printable characters",
        ),
        "no steps": ("zentfx: 1\nname: P\n", 1, "'steps' is missing"),
        "a list of steps": ("zentfx: 1\nname: P\nsteps: []\n", 3, r"steps must be dict; \[\] came"),
        "a setting of the wrong type": (
            "zentfx: 1\nname: P\nenable_cache: 1\nsteps: {}\n",
            3,
            "enable_cache must be bool; 1 came",
        ),
        "an unknown pipeline class": (
            "zentfx: 1\nname: P\nsteps: {}\ntype: zentfx.TrainingPipline\n",
            4,
            "zentfx has no 'TrainingPipline'. Did you mean 'TrainingPipeline'",
        ),
        "a pipeline class that is a step": (
            "zentfx: 1\nname: P\nsteps: {}\ntype: zentfx.TrainerStep\n",
            4,
            "zentfx.TrainerStep is no subclass of Pipeline",
        ),
        "a step that is no mapping": (
            HEAD + "  s: zentfx.SchemaStep\n",
            4,
            "expected 'name: value'",
        ),
        "an empty step": (HEAD + "  s:\n", 4, "expected 'name: value' lines; None came"),
        "a step without a source": (HEAD + "  s:\n    args: {}\n", 4, "'source' is missing"),
        "an unknown key of a step": (
            HEAD + "  s:\n    source: zentfx.SchemaStep\n    arguments: {}\n",
            6,
            "unknown key 'arguments'",
        ),
        "an unknown class of zentfx": (
            HEAD + "  s:\n    source: zentfx.StatisticStep\n",
            5,
            "zentfx has no 'StatisticStep'. Did you mean 'StatisticsStep'",
        ),
        "a class in no module": (
            HEAD + "  s:\n    source: nowhere.Step\n",
            5,
            "no class 'nowhere.Step'",
        ),
        "a source that is no name": (HEAD + "  s:\n    source: .x\n", 5, "no class '.x'"),
        "a source that is a number": (
            HEAD + "  s:\n    source: 5\n",
            5,
            "source must be str; 5 came",
        ),
        "a source that is no step": (
            HEAD + "  s:\n    source: builtins.dict\n",
            5,
            "no subclass of BaseStep",
        ),
        "a source that is a function": (
            HEAD + "  s:\n    source: os.path.join\n",
            5,
            "no class 'os.path.join'",
        ),
        "a source that is the base of a kind": (
            HEAD + "  s:\n    source: zentfx.Datasource\n",
            4,
            "Datasource is the base of a kind of steps",
        ),
        "a misspelt argument": (
            HEAD + STATISTICS + "      sampel_rate: 1\n",
            7,
            "unknown key 'sampel_rate' in steps.s.args. Did you mean 'sample_rate'",
        ),
        "an argument of the wrong type": (
            HEAD + STATISTICS + "\n\n      sample_rate: high\n",
            9,
            "parameter 'sample_rate' must be float; 'high' of type str came",
        ),
        "an argument out of range": (
            HEAD + STATISTICS + "      sample_rate: 2\n",
            6,
            r"'sample_rate' must be in \(0, 1\]; 2.0 came",
        ),
        "an argument that is not finite": (
            HEAD + STATISTICS + "      sample_rate: .nan\n",
            7,
            "must be a finite number",
        ),
        "an argument that is a date": (
            HEAD + f"  s:\n    source: {MINE}.Anything\n    args:\n      value: 2020-01-01\n",
            7,
            "a value of type date cannot be recorded",
        ),
        "an argument that looks like a date": (
            HEAD + f"  s:\n    source: {MINE}.Anything\n    args:\n      value: 2020-13-45\n",
            7,
            "'2020-13-45' is no timestamp; for a text, put it in quotes",
        ),
        "an argument that looks like a number": (
            HEAD + f"  s:\n    source: {MINE}.Anything\n    args:\n      value: [1, 0x_]\n",
            7,
            "'0x_' is no int",
        ),
        "a dict with numbers for keys": (
            HEAD + f"  s:\n    source: {MINE}.Anything\n    args:\n      data: {{1: a}}\n",
            7,
            "keys of a dict must be str; 1 came",
        ),
        "a path that is a number": (
            HEAD + f"  s:\n    source: {MINE}.Anything\n    args:\n      value: {{$path: 5}}\n",
            7,
            "takes a text; 5 came",
        ),
        "a secret without a variable": (
            HEAD + f"  s:\n    source: {MINE}.Anything\n    args:\n      token: {{$secret: ''}}\n",
            7,
            "takes the name of an environment variable",
        ),
        "a secret in plain text": (
            HEAD + f"  s:\n    source: {MINE}.Anything\n    args:\n      token: abc\n",
            7,
            "'token' must be .*Secret",
        ),
        "a missing argument": (
            HEAD + "  s:\n    source: zentfx.CSVDatasource\n    args:\n      name: x\n",
            6,
            "CSVDatasource needs 'path'",
        ),
        "no arguments where some are needed": (
            HEAD + "  s:\n    source: zentfx.CSVDatasource\n",
            4,
            "needs 'name', 'path'",
        ),
        "arguments that are a list": (
            HEAD + "  s:\n    source: zentfx.SchemaStep\n    args: [1]\n",
            6,
            r"args must be dict; \[1\] came",
        ),
        "arguments that are empty": (
            HEAD + "  s:\n    source: zentfx.SchemaStep\n    args:\n",
            6,
            "args must be dict; None came",
        ),
        "an unknown option": (
            HEAD + f"  s:\n    source: {MINE}.Anything\n    options:\n      enable_cash: true\n",
            7,
            "unknown key 'enable_cash' in steps.s.options. Did you mean 'enable_cache'",
        ),
        "an option of the wrong type": (
            HEAD + f"  s:\n    source: {MINE}.Anything\n    options:\n      enable_cache: 1\n",
            6,
            "'enable_cache' must be",
        ),
        "a step's name that is none": (
            HEAD + f"  my-step:\n    source: {MINE}.Anything\n",
            4,
            "A step's name has letters",
        ),
        "a step's name that is a number": (
            HEAD + f"  5:\n    source: {MINE}.Anything\n",
            4,
            "A step's name has letters",
        ),
        "a step's name that yaml takes for a bool": (
            HEAD + f"  on:\n    source: {MINE}.Anything\n",
            4,
            "A step's name has letters.*got True",
        ),
        "a step's name that is empty": (
            HEAD + f"  '':\n    source: {MINE}.Anything\n",
            4,
            "A step's name has letters",
        ),
        "an unknown input": (
            HEAD + f"  s:\n    source: {MINE}.Reading\n    inputs:\n      oen: a.out\n",
            7,
            "has no input 'oen'. Did you mean 'one'",
        ),
        "an input that is no reference": (
            HEAD + f"  s:\n    source: {MINE}.Reading\n    inputs:\n      one: a\n",
            7,
            "expected \"<step>.<output>\"; 'a' came",
        ),
        "an input that is a number": (
            HEAD + f"  s:\n    source: {MINE}.Reading\n    inputs:\n      one: 1.5\n",
            7,
            'expected "<step>.<output>"; 1.5 came',
        ),
        "an input from no step": (
            HEAD + f"  s:\n    source: {MINE}.Reading\n    inputs: {{one: t.out}}\n",
            6,
            "there is no step 't'",
        ),
        "an input from no output": (
            HEAD
            + f"  t:\n    source: {MINE}.Anything\n"
            + f"  s:\n    source: {MINE}.Reading\n    inputs: {{one: t.ou}}\n",
            8,
            "'t' has no such output. Did you mean 'out'",
        ),
        "an object of Python": (
            HEAD + STATISTICS + "      sample_rate: !!python/object/apply:os.getcwd []\n",
            7,
            "the tag .*python/object/apply:os.getcwd' has no meaning",
        ),
        "a mapping of Python": (
            HEAD + STATISTICS + "      sample_rate: !!python/object:zentfx.Secret {variable: x}\n",
            7,
            "the tag .* has no meaning",
        ),
        "a name of Python": (
            HEAD + STATISTICS + "      sample_rate: !!python/name:os.getcwd\n",
            7,
            "not valid YAML: could not determine a constructor for the tag",
        ),
        "a tag of somebodys own": (HEAD + "  s: !mine {}\n", 4, "the tag '!mine' has no meaning"),
        "a set": (HEAD + "  s: !!set {a}\n", 4, "has no meaning"),
        "more than memory holds": (
            HEAD
            + "  s:\n    source: x\n    args:\n      a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            + "".join(
                f"      a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n" for i in range(9)
            ),
            7,
            "more than 100000 values",
        ),
        "an alias to nothing": (HEAD + "  s: *a\n", 4, "not valid YAML: found undefined alias"),
    }

    @pytest.mark.parametrize("case", CASES)
    def test_an_error_names_the_line_and_says_what_is_wrong(self, case, tmp_path):
        text, line, message = self.CASES[case]
        file = tmp_path / "pipeline.yaml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=f"{re.escape(str(file))}:{line}: .*{message}"):
            Pipeline.from_yaml(file)
        with pytest.raises(ConfigError, match=f"<yaml>:{line}: "):
            Pipeline.from_yaml(text)

    @pytest.mark.parametrize(
        "text",
        [
            HEAD + "  &a s: {source: x, args: &b [*b]}\n",
            HEAD + "[" * 600,
            HEAD + "  s: \0\n",
            HEAD + "  s: \x01\n",
        ],
        ids=["a circle", "too deep", "a NUL", "a control character"],
    )
    def test_what_no_line_is_known_of_names_the_file(self, text, tmp_path):
        file = tmp_path / "pipeline.yaml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="pipeline.yaml.*not valid YAML"):
            Pipeline.from_yaml(file)

    def test_nothing_is_run_while_reading(self, tmp_path):
        witness = tmp_path / "witness"
        text = f"zentfx: !!python/object/apply:os.system ['touch {witness}']\n"
        with pytest.raises(ConfigError):
            Pipeline.from_yaml(text)
        assert not witness.exists()

    def test_a_missing_file_is_named_in_full(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DataNotFoundError, match=f"no file {tmp_path}/gone.yaml"):
            Pipeline.from_yaml("gone.yaml")

    @pytest.mark.parametrize("content", [b"\xff\xfe", b"name: caf\xe9\n"])
    def test_a_file_that_is_no_text_is_refused(self, tmp_path, content):
        file = tmp_path / "p.yaml"
        file.write_bytes(content)
        with pytest.raises(ConfigError, match="p.yaml cannot be read"):
            Pipeline.from_yaml(file)

    @pytest.mark.parametrize("source", ["", "x" * 5000, "a\0b"])
    def test_a_source_that_is_neither_file_nor_text_is_refused(self, source):
        with pytest.raises(ConfigError, match="cannot be read"):
            Pipeline.from_yaml(source)

    def test_a_folder_is_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            Pipeline.from_yaml(tmp_path)

    def test_wiring_that_a_training_pipeline_implies_is_checked(self, tmp_path):
        text = taxi(tmp_path).to_yaml().replace("\n  split:", "\n  splt:")
        with pytest.raises(
            ConfigError, match="<yaml>:[0-9]+: The training pipeline .* has no split"
        ):
            Pipeline.from_yaml(text)

    @given(st.text(st.characters(codec="utf-8"), max_size=40))
    def test_no_text_breaks_the_reader(self, text):
        for whole in (f"{text}\n", f"zentfx: 1\nname: P\nsteps: {text}\n"):
            with contextlib.suppress(ZenTFXError):
                Pipeline.from_yaml(whole)

    @settings(max_examples=50)
    @given(st.data())
    def test_no_edit_of_a_pipeline_breaks_the_reader(self, data):
        text = taxi(Path("/data")).to_yaml()
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        piece = data.draw(st.text("ab01:-[]{}!&*#\n \"'.$~", max_size=8))
        with contextlib.suppress(ZenTFXError):
            Pipeline.from_yaml(text[:start] + piece + text[end:] + "\n")


class TestStepsOfTheUsersOwn:
    @pytest.fixture
    def module(self, tmp_path, monkeypatch):
        """A user's module on the path, beside the YAML."""
        monkeypatch.syspath_prepend(tmp_path)
        (tmp_path / "zt_mysteps.py").write_text(
            "from zentfx import BaseStep\n"
            "class DriftGate(BaseStep):\n"
            "    outputs = {'report': 'Report'}\n"
            "    def __init__(self, threshold: float = 0.1):\n"
            "        self.threshold = threshold\n"
            "class Outer:\n"
            "    class Inner(DriftGate):\n"
            "        pass\n"
        )
        importlib.invalidate_caches()
        yield "zt_mysteps"
        sys.modules.pop("zt_mysteps", None)

    @pytest.mark.parametrize("name", ["DriftGate", "Outer.Inner"])
    def test_a_step_on_the_path_is_found_and_written_again(self, module, name):
        text = (
            f"zentfx: 1\nname: P\ntype: zentfx.Pipeline\nenable_cache: true\nsteps:\n  drift:\n"
            f"    source: {module}.{name}\n    args:\n      threshold: 0.5\n"
        )
        pipeline = Pipeline.from_yaml(text)
        assert pipeline.steps["drift"].threshold == 0.5
        assert pipeline.to_yaml() == text

    def test_a_misspelt_class_of_a_module_is_an_error_with_its_line(self, module):
        text = f"zentfx: 1\nname: P\nsteps:\n  drift: {{source: {module}.DriftGat}}\n"
        with pytest.raises(ConfigError, match="<yaml>:4: There is no class 'zt_mysteps.DriftGat'"):
            Pipeline.from_yaml(text)

    def test_a_module_that_fails_to_import_is_an_error_with_its_line(self, module, tmp_path):
        (tmp_path / "zt_broken.py").write_text("1 / 0\n")
        text = "zentfx: 1\nname: P\nsteps:\n  drift: {source: zt_broken.DriftGate}\n"
        with pytest.raises(ConfigError, match="<yaml>:4: .*zt_broken raises ZeroDivisionError"):
            Pipeline.from_yaml(text)

    def test_a_class_of_a_function_is_written_and_refused_on_reading(self):
        class Local(Anything):
            pass

        text = one_step(Local()).to_yaml()
        with pytest.raises(ConfigError, match="<yaml>:7: There is no class .*<locals>"):
            Pipeline.from_yaml(text)
