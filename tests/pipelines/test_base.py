"""Pipelines: names, wiring, copies, and what is known before anything runs."""

import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zentfx import BaseStep, CSVDatasource, Pipeline, Repository, StatisticsStep
from zentfx.errors import (
    DataNotFoundError,
    ParameterTypeError,
    PipelineError,
    PipelineFrozenError,
)
from zentfx.pipelines.yaml_format import digest
from zentfx.steps.node import OutputReference


class Source(BaseStep):
    outputs = {"numbers": "Numbers", "letters": "Letters"}

    def __init__(self, path: Path | None = None, paths: dict[str, list[Path]] | None = None):
        self.path = path
        self.paths = paths


class Add(BaseStep):
    inputs = {"left": "Numbers", "right": "Numbers"}
    optional_inputs = frozenset({"right"})
    outputs = {"total": "Numbers"}

    def __init__(self, by: list[int] | None = None):
        self.by = by


class Fixed(Source):
    def __init__(self, folder: str):
        super().__init__(path=f"{folder}/fixed.txt", paths={"a": [f"{folder}/listed.txt"]})


class HTTPSourceV2(Source):
    pass


@pytest.fixture
def pipeline(tmp_path):
    return Pipeline("P", repository=tmp_path)


def names(pipeline):
    return list(pipeline.steps)


class TestNames:
    @pytest.mark.parametrize("name", ["A", "Pipeline A", "Übung ☃ 1.0", "a" * 63, "a/b:c@d"])
    def test_a_pipelines_name_is_any_text_of_up_to_63_characters(self, name):
        assert Pipeline(name).name == name

    @pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0", "a\x7f", None, 5])
    def test_a_name_that_cannot_be_shown_is_refused(self, name):
        with pytest.raises(PipelineError, match="needs a name of printable characters"):
            Pipeline(name)

    def test_a_longer_name_is_refused(self):
        with pytest.raises(PipelineError, match="at most 63 characters; got 64"):
            Pipeline("a" * 64)

    @pytest.mark.parametrize(
        ("step", "name"), [(Source(), "source"), (HTTPSourceV2(), "http_source_v2"), (Add(), "add")]
    )
    def test_a_step_is_called_like_its_class(self, pipeline, step, name):
        pipeline.add_step(step)
        assert names(pipeline) == [name]

    def test_the_name_in_the_options_comes_before_the_classs(self, pipeline):
        pipeline.add_step(Source().with_options(name="mine"))
        assert names(pipeline) == ["mine"]

    def test_the_name_that_is_given_comes_before_both(self, pipeline):
        pipeline.add_step(Source().with_options(name="mine"), name="given")
        assert names(pipeline) == ["given"]

    @pytest.mark.parametrize("name", ["", "a b", "a.b", "1a", "a-b", 5, True, ["a"]])
    def test_a_steps_name_that_cannot_be_written_in_a_reference_is_refused(self, pipeline, name):
        with pytest.raises(PipelineError, match="A step's name has letters"):
            pipeline.add_step(Source(), name)
        assert pipeline.steps == {}

    def test_a_step_of_the_same_name_replaces_the_first_in_its_place(self, pipeline):
        first, second = Source(), Source(path="x")
        pipeline.add_step(first, "a")
        pipeline.add_step(Add(), "b", {"left": "a.numbers"})
        pipeline.add_step(second, "a")
        assert names(pipeline) == ["a", "b"]
        assert pipeline.steps["a"] is second

    def test_a_step_that_replaces_another_keeps_its_wiring_unless_it_is_given(self, pipeline):
        pipeline.add_step(Source(), "a")
        pipeline.add_step(Source(), "b")
        pipeline.add_step(Add(), "c", {"left": "a.numbers", "right": "b.numbers"})
        pipeline.add_step(Add(by=[1]), "c")
        assert pipeline.wiring()["c"] == {
            "left": OutputReference("a", "numbers"),
            "right": OutputReference("b", "numbers"),
        }
        pipeline.add_step(Add(by=[1]), "c", {"left": "b.numbers"})
        assert pipeline.wiring()["c"] == {"left": OutputReference("b", "numbers")}
        pipeline.add_step(Source(), "c")
        assert pipeline.wiring()["c"] == {}

    @pytest.mark.parametrize("attribute", ["name", "enable_cache", "steps"])
    def test_what_it_is_cannot_be_set_afterwards(self, pipeline, attribute):
        with pytest.raises(AttributeError):
            setattr(pipeline, attribute, "x")

    def test_what_is_no_step_is_refused(self, pipeline):
        with pytest.raises(ParameterTypeError, match="subclasses of BaseStep.; 'x' came"):
            pipeline.add_step("x")
        with pytest.raises(ParameterTypeError, match="Call the class to make one"):
            pipeline.add_step(Source)

    def test_the_steps_that_it_hands_out_are_to_be_looked_at(self, pipeline):
        pipeline.add_step(Source())
        with pytest.raises(TypeError):
            pipeline.steps["source"] = Source()
        assert names(pipeline) == ["source"]

    def test_its_repr_names_it_and_its_steps(self, pipeline):
        pipeline.add_step(Source())
        assert repr(pipeline) == "Pipeline('P', steps=['source'])"


class TestWiring:
    def test_each_step_comes_after_those_that_it_reads(self, pipeline):
        pipeline.add_step(Add(), "last", {"left": "middle.total", "right": "source.numbers"})
        pipeline.add_step(Add(), "middle", {"left": "source.numbers"})
        pipeline.add_step(Source())
        assert pipeline.wiring() == {
            "source": {},
            "middle": {"left": OutputReference("source", "numbers")},
            "last": {
                "left": OutputReference("middle", "total"),
                "right": OutputReference("source", "numbers"),
            },
        }
        assert list(pipeline.wiring()) == ["source", "middle", "last"]

    @given(st.permutations(["a", "b", "c", "d"]))
    def test_the_order_of_adding_does_not_change_the_wiring(self, order):
        steps = {
            "a": (Source(), {}),
            "b": (Add(), {"left": "a.numbers"}),
            "c": (Add(), {"left": "a.numbers", "right": "b.total"}),
            "d": (Add(), {"left": "c.total"}),
        }
        pipeline = Pipeline("P")
        for name in order:
            pipeline.add_step(steps[name][0], name, steps[name][1])
        assert list(pipeline.wiring()) == ["a", "b", "c", "d"]

    def test_steps_that_do_not_wait_keep_the_order_of_adding(self, pipeline):
        for name in ("z", "m", "a"):
            pipeline.add_step(Source(), name)
        assert list(pipeline.wiring()) == ["z", "m", "a"]

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            (
                {"left": "sorce.numbers"},
                "reads sorce.numbers, but there is no step 'sorce'.*'source'",
            ),
            ({"left": "source.number"}, "'source' has no such output. Did you mean 'numbers'"),
            ({"left": "source.letters"}, "takes Numbers; source.letters is Letters"),
            ({"right": "source.numbers"}, r"needs 'left' \(Numbers\), and nothing is connected"),
            ({}, "needs 'left'"),
            ({"left": "add.total"}, "wait for each other: add"),
        ],
    )
    def test_steps_that_do_not_fit_are_refused(self, pipeline, inputs, message):
        pipeline.add_step(Source())
        pipeline.add_step(Add(), inputs=inputs)
        with pytest.raises(PipelineError, match=message):
            pipeline.wiring()
        with pytest.raises(PipelineError, match=message):
            pipeline.validate()

    def test_steps_in_a_circle_are_named(self, pipeline):
        pipeline.add_step(Source())
        pipeline.add_step(Add(), "one", {"left": "two.total"})
        pipeline.add_step(Add(), "two", {"left": "one.total"})
        with pytest.raises(PipelineError, match="These steps wait for each other: one, two"):
            pipeline.wiring()

    @pytest.mark.parametrize(
        "text", ["source", "source.", ".numbers", "source.numbers.x", "", "a b.c", 5, None]
    )
    def test_a_reference_that_is_none_is_refused_when_it_is_given(self, pipeline, text):
        with pytest.raises(PipelineError, match=r'expected "<step>.<output>"'):
            pipeline.add_step(Add(), inputs={"left": text})
        assert pipeline.steps == {}

    @pytest.mark.parametrize(
        ("key", "near"), [("lef", "Did you mean 'left'"), (5, "'left', 'right'")]
    )
    def test_an_input_that_does_not_exist_is_refused_when_it_is_given(self, pipeline, key, near):
        with pytest.raises(PipelineError, match=f"has no input {key!r}.*{near}"):
            pipeline.add_step(Add(), inputs={key: "source.numbers"})

    def test_a_step_that_lacks_an_input_is_told_how_to_wire_it(self, pipeline):
        pipeline.add_step(Add())
        with pytest.raises(PipelineError) as caught:
            pipeline.wiring()
        assert str(caught.value) == (
            "The step 'add' (Add) needs 'left' (Numbers), and nothing is connected to it. "
            'Add it with inputs={"left": "<step>.<output>"}.'
        )

    def test_a_pipeline_that_is_called_like_its_step_is_refused(self, tmp_path):
        pipeline = Pipeline("source", repository=tmp_path)
        pipeline.add_step(Source(), "source")
        with pytest.raises(PipelineError, match="like one of its steps: 'source'"):
            pipeline.run()

    def test_a_pipeline_without_steps_is_refused(self, pipeline):
        assert pipeline.wiring() == {}
        with pytest.raises(PipelineError, match="'P' has no steps. Add some"):
            pipeline.validate()
        with pytest.raises(PipelineError, match="has no steps"):
            pipeline.run()


class TestCopies:
    def test_a_copy_has_the_same_steps_and_settings_under_another_name(self, tmp_path):
        pipeline = Pipeline("P", enable_cache=False, repository=tmp_path)
        pipeline.add_step(Source(path="x").with_options(enable_cache=True))
        pipeline.add_step(Add(by=[1]), inputs={"left": "source.numbers"})
        other = pipeline.copy("Q")
        assert (other.name, other.enable_cache, type(other)) == ("Q", False, Pipeline)
        assert other.wiring() == pipeline.wiring()
        for name, step in pipeline.steps.items():
            assert other.steps[name].arguments == step.arguments
            assert other.steps[name].options == step.options

    def test_a_copy_shares_nothing_that_can_change(self, pipeline):
        pipeline.add_step(Add(by=[1]), inputs={"left": "source.numbers"})
        other = pipeline.copy("Q")
        other.steps["add"].by.append(2)
        other.add_step(Source())
        other.add_step(Add(by=[5]), inputs={"left": "source.numbers", "right": "source.numbers"})
        assert pipeline.steps["add"].by == [1]
        assert names(pipeline) == ["add"]
        assert names(other) == ["add", "source"]

    def test_the_steps_of_a_copy_are_what_is_recorded(self, pipeline):
        pipeline.add_step(Add(by=[1]), inputs={"left": "source.numbers"})
        pipeline.steps["add"].by.append(2)
        assert pipeline.copy("Q").steps["add"].by == [1]

    def test_a_copy_needs_a_name_of_its_own(self, pipeline):
        with pytest.raises(PipelineError, match="'P' is the name of the pipeline itself"):
            pipeline.copy("P")

    def test_a_copy_of_a_copy_is_one_too(self, pipeline):
        pipeline.add_step(Source())
        assert names(copy.deepcopy(pipeline.copy("Q")).copy("P")) == ["source"]


class TestFrozen:
    def test_a_pipeline_that_has_run_refuses_changes_and_names_copy(self, pipeline):
        pipeline.add_step(Source())
        pipeline._frozen = True  # a run sets it; those are in tests/e2e
        with pytest.raises(PipelineFrozenError, match=r"pipeline.copy\('P 2'\)"):
            pipeline.add_step(Add())
        other = pipeline.copy("P 2")
        other.add_step(Add(), inputs={"left": "source.numbers"})
        assert names(other) == ["source", "add"]
        assert names(pipeline) == ["source"]

    def test_it_is_a_pipeline_error_and_a_type_error(self):
        assert issubclass(PipelineFrozenError, PipelineError)
        assert issubclass(PipelineFrozenError, TypeError)


class TestBeforeARun:
    """What `run` finds out before it records anything."""

    @staticmethod
    def node(step, tmp_path):
        pipeline = Pipeline("P", repository=tmp_path)
        pipeline.add_step(step, "step")
        [node] = pipeline._nodes(None)
        return node

    @pytest.fixture
    def files(self, tmp_path):
        for name in ("fixed", "listed", "a", "b"):
            (tmp_path / f"{name}.txt").write_text(name)
        return tmp_path

    def test_input_files_count_by_their_content_also_those_that_a_subclass_computes(self, files):
        for step in (Source(path=files / "fixed.txt"), Fixed(folder=str(files))):
            before = self.node(step, files).digests
            assert before
            (files / "fixed.txt").write_text(f"other {type(step)}")
            assert self.node(step, files).digests != before

    def test_a_missing_file_is_an_error_before_anything_is_recorded(self, tmp_path):
        repository = Repository(tmp_path)
        pipeline = Pipeline("P", repository=repository)
        pipeline.add_step(Source(path=tmp_path / "gone"))
        with pytest.raises(DataNotFoundError, match="gone"):
            pipeline.run()
        assert repository.get_runs() == []
        pipeline.add_step(Source(), "still_open")

    @pytest.mark.parametrize(
        ("run", "step", "pipeline", "expected"),
        [
            (None, None, True, True),
            (None, None, False, False),
            (None, True, False, True),
            (None, False, True, False),
            (True, False, False, True),
            (False, True, True, False),
        ],
    )
    def test_the_cache_is_on_or_off_by_run_then_step_then_pipeline(
        self, tmp_path, run, step, pipeline, expected
    ):
        made = Pipeline("P", enable_cache=pipeline, repository=tmp_path)
        made.add_step(Source().with_options(enable_cache=step))
        [node] = made._nodes(run)
        assert node.enable_cache is expected

    def test_a_code_version_replaces_the_fingerprint(self, tmp_path):
        plain = self.node(Source(), tmp_path).code.fingerprint
        named = self.node(Source().with_options(code_version="1"), tmp_path).code.fingerprint
        assert named != plain

    def test_the_repository_may_be_given_as_an_object_a_path_or_by_the_working_directory(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.delenv("ZENTFX_REPOSITORY", raising=False)
        monkeypatch.chdir(tmp_path)
        for repository in (Repository(tmp_path), tmp_path, str(tmp_path), None):
            assert Pipeline("P", repository=repository)._workspace().root == tmp_path


def test_the_data_of_any_pipeline_is_looked_at_first(tmp_path):
    pipeline = Pipeline("P", repository=tmp_path)
    pipeline.add_step(CSVDatasource(name="rows", path=tmp_path / "rows.csv"), "rows")
    pipeline.add_step(StatisticsStep(), inputs={"examples": "rows.examples"})
    with pytest.raises(DataNotFoundError, match="no file .*rows.csv"):
        pipeline.validate()
    (tmp_path / "rows.csv").write_text("a\n1\n")
    pipeline.validate()


def test_content_decides_the_digest_of_a_pipeline_and_its_name_does_not():
    def text(name="P", by=(1,), left="a.numbers", reverse=False, **options):
        pipeline = Pipeline(name, **options)
        steps = [("a", Source(), {}), ("b", Add(by=list(by)), {"left": left})]
        for step_name, step, inputs in reversed(steps) if reverse else steps:
            pipeline.add_step(step, step_name, inputs)
        return pipeline.to_yaml()

    same = digest(text())
    assert digest(text("Another name")) == digest(text(reverse=True)) == same
    assert digest(text(enable_cache=False)) != same
    others = [text(by=(2,)), text(by=()), text(left="b.total")]
    assert len({same, *map(digest, others)}) == 4


def test_a_run_asks_validate_which_a_subclass_may_override(tmp_path):
    class Picky(Pipeline):
        def validate(self):
            raise PipelineError("not this one")

    pipeline = Picky("P", repository=tmp_path)
    pipeline.add_step(Source(), "source")
    with pytest.raises(PipelineError, match="not this one"):
        pipeline.run(progress=None)


@pytest.mark.parametrize(
    "settings", [{"enable_cache": "no"}, {"in_process": "yes"}, {"in_process": None}]
)
def test_settings_of_a_run_must_be_true_or_false(tmp_path, settings):
    pipeline = Pipeline("P", repository=tmp_path)
    pipeline.add_step(Source(), "source")
    with pytest.raises(PipelineError, match="must be True or False"):
        pipeline.run(progress=None, **settings)
