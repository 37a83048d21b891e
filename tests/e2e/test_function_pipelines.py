"""Functions as pipelines, run for real: calls, versions, reuse, failures, lineage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest

import zentfx
from tests.e2e.function_steps import (
    Doubled,
    Halved,
    add,
    halves,
    numbers,
    quiet,
    statuses,
    total,
)
from zentfx import (
    ArtifactConfig,
    BaseStep,
    Pipeline,
    log_metric,
    pipeline,
    step,
)
from zentfx.errors import (
    DataNotFoundError,
    ParameterError,
    PipelineError,
    StepFailedError,
    UnknownParameterError,
)


class TestCalls:
    def test_arguments_are_artifacts_or_parameters(self, repository):
        @quiet
        def simple(count, factor=2):
            total(numbers(count), factor=factor)

        run = simple(4)
        assert statuses(run) == {"numbers": "completed", "total": "completed"}
        assert run.pipeline == "simple"
        assert run.steps["numbers"].parameters == {"count": 4}
        assert run.steps["total"].parameters == {"factor": 2.0}
        assert list(run.steps["total"].inputs) == ["values"]
        assert run.steps["total"].outputs["output"].load() == 12.0
        assert run.steps["numbers"].outputs["numbers"].load().tolist() == [0, 1, 2, 3]

    def test_fan_out_and_fan_in_and_a_step_that_is_used_again(self, repository):
        @quiet
        def spread():
            first, second = halves(numbers(5))
            one, other = total(first), total(second)
            add(one, other)
            add(one)

        run = spread()
        assert list(run.steps) == ["numbers", "halves", "total", "total_2", "add", "add_2"]
        assert run.steps["add"].outputs["output"].load() == 10.0
        assert run.steps["add"].parameters == {}
        assert run.steps["add_2"].parameters == {"other": 0}

    def test_names_and_after(self, repository):
        order = []

        @step
        def note(name: str) -> None:
            order.append(name)

        @quiet
        def ordered():
            value = numbers.with_options(name="source")()
            note.with_options(name="first")("first")
            note.with_options(name="second")("second", after=["first", value])
            note("third", after="second")

        run = ordered()
        assert order == ["first", "second", "third"]
        assert list(run.steps) == ["source", "first", "second", "note"]

    def test_a_pipeline_in_a_pipeline_gives_its_steps(self, repository):
        @quiet
        def inner(count):
            return numbers(count)

        @quiet
        def outer():
            total(inner(3))

        assert list(outer().steps) == ["numbers", "total"]

    def test_class_steps_are_called_like_functions(self, repository):
        @quiet
        def mixed():
            values = numbers(4)
            doubled = Doubled(factor=3)(values=values)
            first, second = Halved().with_options(name="parts")(values=doubled, after=values)
            add(first)
            total.with_options(name="last")(second)

        run = mixed()
        assert list(run.steps) == ["numbers", "doubled", "parts", "add", "last"]
        assert run.steps["last"].outputs["output"].load() == 15.0
        assert run.steps["doubled"].parameters == {"factor": 3}

    def test_class_steps_are_no_functions_elsewhere(self):
        with pytest.raises(PipelineError, match="in a function with @pipeline"):
            Doubled()()

    def test_it_is_built_without_being_run(self, repository):
        @quiet(name="Built")
        def simple(count):
            total(numbers(count))

        built = simple.build(3)
        assert isinstance(built, Pipeline)
        assert built.name == "Built"
        assert repository.get_runs() == []
        other = built.copy("Other")
        other.add_step(total.as_step(factor=5.0), inputs={"values": "numbers.numbers"})
        assert built.run(progress=False).steps["total"].outputs["output"].load() == 3.0
        run = other.run(progress=False)
        assert statuses(run) == {"numbers": "cached", "total": "completed"}
        assert run.steps["total"].outputs["output"].load() == 15.0

    def test_the_wiring_as_yaml_runs(self, repository, tmp_path):
        @quiet
        def wired(count):
            first, second = halves(numbers(count))
            total.with_options(name="sum", retries=1)(first, after=[second])

        text = wired.build(4).to_yaml(tmp_path / "p.yaml")
        again = Pipeline.from_yaml(tmp_path / "p.yaml")
        assert again.to_yaml() == text
        assert again.steps["sum"].options.retries == 1
        run = again.run(progress=False)
        assert run.steps["sum"].outputs["output"].load() == 1.0
        assert wired(4).version == 1
        assert statuses(wired(4)) == {"numbers": "cached", "halves": "cached", "sum": "cached"}

    def test_dicts_keep_their_order(self, repository):
        @step
        def names(table: dict) -> list:
            return list(table)

        @quiet
        def ordered(table):
            names(table)

        for order in (["b", "a"], ["a", "b"]):
            run = ordered(dict.fromkeys(order, 1))
            assert run.steps["names"].outputs["output"].load() == order
            assert list(run.steps["names"].parameters["table"]) == order

    def test_a_step_without_outputs_can_be_waited_for(self, repository):
        @step
        def prepare(x: int) -> None:
            print(x)

        @quiet
        def waiting():
            done = prepare(1)
            numbers(after=[done])

        assert list(waiting().steps) == ["prepare", "numbers"]
        with pytest.raises(PipelineError, match="of another|takes an output"):
            pipeline(lambda: total(prepare(1))).build()

    def test_a_pipeline_that_runs_in_another_ones_function_is_its_own(self, repository):
        ran = []

        @step
        def helper(x: int) -> int:
            return x

        @step
        def outer_step(x: int) -> int:
            return helper(x) + 1

        @quiet
        def outer():
            inner = Pipeline("Inner")
            inner.add_step(outer_step.as_step(x=1), "one")
            ran.append(inner.run(progress=False).steps["one"].outputs["output"].load())
            helper(5)

        assert list(outer().steps) == ["helper"]
        assert ran == [2]

    def test_a_path_counts_by_its_content(self, repository, tmp_path):
        @step
        def read(file: Path) -> str:
            return file.read_text()

        @quiet
        def reading(file):
            read(file)

        (tmp_path / "a.txt").write_text("one")
        assert reading("a.txt").steps["read"].outputs["output"].load() == "one"
        (tmp_path / "a.txt").rename(tmp_path / "b.txt")
        assert statuses(reading("b.txt")) == {"read": "cached"}
        (tmp_path / "b.txt").write_text("two!")
        assert statuses(reading("b.txt")) == {"read": "completed"}

    def test_a_list_of_outputs_is_an_argument(self, repository):
        @step
        def square(x: int) -> int:
            return x * x

        @step
        def sum_of(parts: list[int], start: int = 0) -> int:
            return start + sum(parts)

        @step
        def again(numbers: int) -> int:
            return numbers

        @quiet
        def spread(*values, start=0):
            again(sum_of([square(x) for x in values], start))

        run = spread(1, 2, 3)
        assert run.steps["sum_of"].outputs["output"].load() == 14
        assert list(run.steps["sum_of"].inputs) == ["parts[0]", "parts[1]", "parts[2]"]
        assert set(statuses(spread(1, 2, 3)).values()) == {"cached"}
        fewer = spread(1, 2)
        assert fewer.steps["sum_of"].status == "completed"
        assert fewer.steps["again"].outputs["output"].load() == 5
        # The order counts.
        assert spread(2, 1).steps["sum_of"].status == "completed"
        # Many, of which the tenth does not come after the first.
        assert spread(*range(12)).steps["again"].outputs["output"].load() == sum(
            x * x for x in range(12)
        )
        written = spread.build(1, 2).to_yaml()
        assert "parts:\n      - square.output\n      - square_2.output\n" in written
        assert len(run.steps["again"].inputs["numbers"].upstream()) == 4

    def test_a_list_may_have_artifacts_from_before(self, repository):
        @step
        def one(x: int) -> Annotated[int, "one"]:
            return x

        @step
        def sum_of(parts: list[int]) -> int:
            return sum(parts)

        @quiet
        def first(x):
            one(x)

        @quiet
        def second():
            older, newer = (repository.get_artifact_version("one", number) for number in (1, 2))
            sum_of([older, newer, one(5)])

        for x in (3, 4):
            first(x)
        assert second().steps["sum_of"].outputs["output"].load() == 12

    def test_inputs_of_classes_are_no_lists(self):
        wide = Pipeline("Wide")
        wide.add_step(numbers.as_step(), "a")
        with pytest.raises(PipelineError, match="Input 'values' of step 'b' .* takes one output"):
            wide.add_step(Doubled(), "b", inputs={"values": ["a.numbers"]})

    def test_a_list_by_add_step(self, repository):
        @step
        def sum_of(parts: list, start: int = 0) -> int:
            return start + sum(parts)

        @step
        def one(x: int) -> int:
            return x

        wide = Pipeline("Wide")
        wide.add_step(one.as_step(x=1), "a")
        wide.add_step(one.as_step(x=2), "b")
        wide.add_step(sum_of.as_step(), "both", inputs={"parts": ["a.output", "b.output"]})
        assert wide.run(progress=False).steps["both"].outputs["output"].load() == 3
        wider = wide.copy("Wider")
        wider.add_step(one.as_step(x=3), "c")
        wider.add_step(
            sum_of.as_step(), "both", inputs={"parts": ["a.output", "b.output", "c.output"]}
        )
        assert wider.run(progress=False).steps["both"].outputs["output"].load() == 6

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            ({"parts[1]": "a.output"}, "'parts' reads one output, or a list"),
            ({"parts": "a.output", "parts[0]": "a.output"}, "'parts' reads one output, or a list"),
            ({"part[0]": "a.output"}, "has no input 'part"),
            ({"parts[x]": "a.output"}, "has no input 'parts.x"),
            ({"parts": ["a.numbers", "b.output"]}, "there is no step 'b'"),
            ({"parts": []}, "nothing is connected"),
            ({"parts": ["a.output"], "x": "a.output"}, "has no input 'x'"),
        ],
    )
    def test_lists_that_are_none(self, inputs, message):
        @step
        def sum_of(parts: list) -> int:
            return sum(parts)

        wide = Pipeline("Wide")
        wide.add_step(numbers.as_step(), "a")

        def connect():
            wide.add_step(sum_of.as_step(), "both", inputs=inputs)
            wide.wiring()

        with pytest.raises(PipelineError, match=message):
            connect()

    def test_a_file_that_a_step_before_writes(self, repository, tmp_path):
        file = tmp_path / "report.txt"

        @step(enable_cache=False)
        def write(file: str, text: str) -> None:
            if text:
                Path(file).write_text(text)

        @step
        def read(path: Path) -> str:
            return path.read_text()

        @step
        def shout(text: str) -> str:
            return text.upper()

        @quiet
        def reporting(text):
            write(str(file), text)
            shout(read(file, after="write"))

        def states_of(text):
            run = reporting(text)
            assert run.steps["shout"].outputs["output"].load() == text.upper()
            return [run.steps[name].status for name in ("read", "shout")]

        assert states_of("one") == ["completed"] * 2
        assert states_of("one") == ["cached"] * 2
        assert states_of("two") == ["completed"] * 2  # not the result of what was there before
        assert states_of("one") == ["cached"] * 2
        file.unlink()
        with pytest.raises(StepFailedError, match="read.*(?s:.*)No such file"):
            reporting("")

    @pytest.mark.parametrize("workers", [1, 2])
    def test_a_file_that_a_step_before_removes(self, repository, tmp_path, workers):
        @step(enable_cache=False)
        def remove(file: str, really: bool) -> None:
            if really:
                Path(file).unlink()

        @step
        def read(path: Path) -> str:
            return path.read_text()

        @quiet(max_workers=workers)
        def reading(really):
            remove(str(tmp_path / "report.txt"), really)
            read(tmp_path / "report.txt", after="remove")

        (tmp_path / "report.txt").write_text("one")
        for status in ("completed", "cached"):
            assert statuses(reading(False))["read"] == status
        with pytest.raises(StepFailedError, match="No such file"):
            reading(True)

    def test_a_step_of_a_data_set_that_a_step_before_writes(self, repository, tmp_path):
        @step(enable_cache=False)
        def write(folder: str, rows: int) -> None:
            Path(folder).mkdir(exist_ok=True)
            pd.DataFrame({"a": range(rows)}).to_csv(Path(folder, "rows.csv"), index=False)

        class Rows(BaseStep):
            """Counts."""

            outputs = {"count": "Count"}

            def __init__(self, folder: Path):
                pass

            def process(self, inputs, outputs):
                lines = Path(self.arguments["folder"], "rows.csv").read_text().splitlines()
                (outputs["count"].path / "count").write_text(str(len(lines) - 1))

        @quiet
        def counting(rows):
            write(str(tmp_path / "data"), rows)
            Rows(folder=tmp_path / "data")(after="write")

        for rows, status in ((3, "completed"), (3, "cached"), (4, "completed"), (3, "cached")):
            step_run = counting(rows).steps["rows"]
            assert step_run.status == status
            assert Path(step_run.outputs["count"].uri, "count").read_text() == str(rows)

    def test_a_file_that_nothing_may_write_must_be_there(self, repository, tmp_path):
        @step
        def read(path: Path) -> str:
            return path.read_text()

        @quiet
        def reading():
            read(tmp_path / "none")

        with pytest.raises(DataNotFoundError, match="read: path.*none"):
            reading()
        assert not repository.get_pipelines()

    def test_options_of_the_pipeline(self, repository):
        @quiet(enable_cache=False)
        def simple():
            numbers()

        assert statuses(simple()) == statuses(simple()) == {"numbers": "completed"}
        assert statuses(simple.with_options(enable_cache=True)()) == {"numbers": "cached"}

    def test_function_steps_side_by_side_run_in_workers(self, repository):
        @step
        def where(number: int) -> int:
            return os.getpid()

        @quiet(max_workers=2)
        def wide():
            where(1)
            where(2)

        found = {item.outputs["output"].load() for item in wide().steps.values()}
        assert os.getpid() not in found


def noted(value):
    log_metric("value", value)


class TestMetrics:
    def test_what_functions_log_is_compared(self, repository):
        @step
        def train(x: float) -> float:
            for epoch in range(3):
                log_metric("loss", x / (epoch + 1), step=epoch)
            return x

        @step
        def evaluate(x: float) -> None:
            noted(x * 2)

        @quiet
        def training(x):
            evaluate(train(x))

        run = training(1.5)
        assert run.steps["train"].metrics == {"loss": 0.5}
        assert run.steps["evaluate"].metrics == {"value": 3.0}
        training(3)
        frame = repository.compare_training_runs().to_dataframe()
        assert frame["metrics.train.loss"].tolist() == [0.5, 1.0]
        assert frame["metrics.evaluate.value"].tolist() == [3.0, 6.0]
        assert frame["train.x"].tolist() == [1.5, 3.0]

    def test_others_have_no_such_output(self):
        assert list(numbers.step_class.outputs) == ["numbers"]


class TestBadCalls:
    def build(self, function, *args):
        return pipeline(function).build(*args)

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda: total(), ParameterError, "missing a required argument: 'values'"),
            (lambda: total(numbers(), 1, 2), ParameterError, "too many positional"),
            (lambda: total(numbers(), fctor=1), ParameterError, "fctor"),
            (lambda: total(numbers(), factor="x"), ParameterError, "'factor' must be float"),
            (lambda: total(np.arange(3)), ParameterError, "cannot be recorded.*as an artifact"),
            (
                lambda: total([numbers()]),
                PipelineError,
                "'values' takes ndarray; a list of outputs",
            ),
            (lambda: total([numbers(), 1]), ParameterError, "a list with outputs of steps"),
            (lambda: total(halves(numbers())), ParameterError, "a tuple with outputs of steps"),
            (lambda: add(numbers() + 1), PipelineError, "has no value while the pipeline"),
            (lambda: add(list(numbers())), PipelineError, "cannot be taken apart"),
            (lambda: numbers() and 1, PipelineError, "has no value"),
            (lambda: Doubled()(numbers()), PipelineError, r"by name: Doubled\(…\)\(.*=…\)"),
            (lambda: numbers().shape, PipelineError, "has no 'shape' while the pipeline is put"),
            (lambda: total.as_step(values=[numbers()]), ParameterError, "is an artifact; connect"),
            (lambda: add(f"{numbers()}"), PipelineError, "has no value"),
            (lambda: numbers(after="nowhere"), PipelineError, "no such step was called before"),
            (lambda: numbers(after=3), PipelineError, "outputs of steps, or their names"),
            (
                lambda: [numbers.with_options(name="a")(), numbers.with_options(name="a")()],
                PipelineError,
                "Two steps of the pipeline",
            ),
        ],
    )
    def test_they_are_refused_before_anything_runs(self, repository, call, error, message):
        def wrong():
            call()

        with pytest.raises(error, match=message):
            self.build(wrong)
        assert repository.get_runs() == []

    def test_an_output_of_another_pipeline_is_refused(self, repository):
        kept = []

        @quiet
        def first():
            kept.append(numbers())

        first.build()

        def second():
            total(kept[0])

        with pytest.raises(PipelineError, match="of another pipeline"):
            self.build(second)

    def test_a_placeholder_without_a_value_is_refused(self, repository):
        @step
        def named() -> Annotated[int, "{kind}_data"]:
            return 1

        def wrong():
            named()

        with pytest.raises(UnknownParameterError, match="kind.*has no value.*substitutions"):
            self.build(wrong)

    def test_what_is_no_function_is_no_pipeline(self):
        with pytest.raises(PipelineError, match="plain functions"):
            pipeline(3)
        with pytest.raises(PipelineError, match="no option 'nme'.*'name'"):
            pipeline(nme="x")

    def test_a_literal_where_a_table_is_declared_is_refused_when_it_runs(self, repository):
        @step
        def rows(data: pd.DataFrame) -> int:
            return len(data)

        @quiet
        def wrong():
            rows(3)

        with pytest.raises(StepFailedError, match="rows: argument 'data': expected DataFrame"):
            wrong()


class TestResults:
    def run(self, function):
        @quiet
        def one():
            step(function)()

        return one()

    def test_numbers_are_what_is_declared(self, repository):
        def number() -> float:
            return 3

        value = self.run(number).steps["number"].outputs["output"].load()
        assert (type(value), value) == (float, 3.0)

    @pytest.mark.parametrize(
        ("annotation", "value", "message"),
        [
            (int, "x", "wrong: output 'output': expected int; 'x' of type str came"),
            (tuple[int, int], (1, 2, 3), "expected 2 outputs .*; 3 came"),
            (tuple[int, int], 5, "expected 2 outputs .*; a int came"),
            (tuple[int, int], (1, "x"), "output 'output_1': expected int"),
            (None, 5, "annotated with None"),
        ],
    )
    def test_anything_else_fails_the_step(self, repository, annotation, value, message):
        def wrong():
            if value == "never":
                return 1, 2
            return value

        wrong.__annotations__["return"] = annotation
        made = step(wrong)

        @quiet
        def failing():
            made()

        with pytest.raises(StepFailedError, match=message):
            failing()
        assert repository.list_artifact_versions() == []

    @pytest.mark.filterwarnings("ignore:There is no materializer")
    def test_a_value_that_cannot_be_saved_leaves_nothing(self, repository):
        def generator():
            made = (x for x in range(3))
            return made  # noqa: RET504

        with pytest.raises(StepFailedError, match="output 'output': .*cannot be pickled"):
            self.run(generator)
        assert repository.list_artifact_versions() == []
        runs = Path(repository.active_stack.artifact_store.path, "runs")
        assert [item for item in runs.rglob("*") if item.is_file()] == []

    def test_a_full_disk_leaves_nothing(self, repository, tmp_path):
        script = tmp_path / "full.py"
        script.write_text(
            textwrap.dedent(
                """
                import resource, signal
                import numpy as np
                from typing import Annotated
                from zentfx import Repository, pipeline, step

                @step
                def small() -> Annotated[np.ndarray, "data"]:
                    return np.arange(10)

                @step
                def large() -> Annotated[np.ndarray, "data"]:
                    # What a full disk is to Python: writing fails in the middle of a file.
                    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, limit[1]))
                    return np.arange(1_000_000)

                @pipeline(progress=False)
                def first():
                    small()

                @pipeline(progress=False)
                def second():
                    large()

                first()
                try:
                    second()
                except Exception as error:
                    print(type(error).__name__, "1000000 requested and" in str(error) or error)
                """
            )
        )
        done = subprocess.run(
            [sys.executable, script], capture_output=True, text=True, timeout=100, check=False
        )
        assert done.stdout.split() == ["StepFailedError", "True"], done.stderr
        assert [item.version for item in repository.list_artifact_versions("data")] == ["1"]
        assert repository.get_artifact_version("data").load().tolist() == list(range(10))


class TestForks:
    @pytest.mark.parametrize("workers", [1, 2])
    @pytest.mark.parametrize("ends", ["return 667", "raise ValueError('of the child')"])
    def test_a_process_that_a_step_forks_does_not_go_on_with_the_run(
        self, repository, tmp_path, workers, ends
    ):
        module = tmp_path / f"forking_{workers}_{len(ends)}.py"
        module.write_text(
            textwrap.dedent(
                f"""
                import os
                from zentfx import pipeline, step

                @step
                def forks() -> int:
                    child = os.fork()
                    if child == 0:
                        {ends}
                    os.waitpid(child, 0)
                    return 2

                @step
                def after(value: int) -> int:
                    return value + 1

                @pipeline(progress=None, max_workers={workers})
                def forking():
                    after(forks())
                """
            )
        )
        done = subprocess.run(
            [sys.executable, "-c", f"import {module.stem} as m; print(m.forking().status, 'end')"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(zentfx.__file__).parents[1])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "completed end\n"
        [run] = repository.get_runs()
        assert run.steps["forks"].outputs["output"].load() == 2
        assert run.steps["after"].outputs["output"].load() == 3


class TestAttempts:
    def test_a_step_is_tried_again(self, repository, tmp_path):
        @step
        def flaky(file: str) -> int:
            with Path(file).open("a") as stream:
                stream.write("x")
            count = len(Path(file).read_text())
            if count < 3:
                raise ValueError(f"attempt {count}")
            return count

        @quiet
        def trying(retries):
            flaky.with_options(retries=retries)(str(tmp_path / "attempts"))

        with pytest.raises(StepFailedError, match="attempt 1"):
            trying(0)
        run = trying(4)
        assert run.status == "completed"
        assert (run.steps["flaky"].attempts, run.steps["flaky"].status) == (2, "completed")
        assert run.steps["flaky"].outputs["output"].load() == 3
        assert "attempt 2" in run.steps["flaky"].log()
        assert list(run.steps) == ["flaky"]

    def test_a_timeout_and_this_process_do_not_go_together(self, repository):
        @quiet(in_process=True)
        def limited():
            numbers.with_options(timeout=3)()

        with pytest.raises(PipelineError, match="has a timeout"):
            limited()

    def test_two_steps_of_a_run_do_not_get_one_version(self, repository):
        @step
        def answer(x: int) -> Annotated[int, ArtifactConfig(name="answer", version="1.0")]:
            return x

        @quiet(max_workers=2)
        def both():
            answer(1)
            answer(2)

        with pytest.raises(StepFailedError, match="Version '1.0' of the artifact 'answer' is"):
            both()
        assert len(repository.list_artifact_versions("answer")) == 1

    def test_a_step_that_takes_too_long_is_stopped(self, repository):
        @step
        def slow() -> int:
            time.sleep(300)
            return 1

        @quiet
        def waiting():
            slow.with_options(timeout=3)()

        with pytest.raises(StepFailedError, match="longer than its timeout, 3 s"):
            waiting()
        [run] = repository.get_runs()
        assert (run.status, run.steps["slow"].status) == ("failed", "failed")


def test_one_pipeline_runs_in_two_threads_at_once(repository):
    together = threading.Barrier(2, timeout=60)

    class Met(Pipeline):
        def validate(self):
            together.wait()
            super().validate()
            together.wait()

    both = Met("both")
    both.add_step(numbers.as_step(count=3))
    with ThreadPoolExecutor(2) as threads:
        runs = [item.result() for item in [threads.submit(both.run, progress=None) for _ in "ab"]]
    assert [run.status for run in runs] == ["completed", "completed"]
    assert len({run.id for run in runs}) == 2
    loaded = [run.steps["numbers"].outputs["numbers"].load().tolist() for run in runs]
    assert loaded == [[0, 1, 2]] * 2


def test_a_materializer_of_a_script_is_known_in_workers(repository, tmp_path):
    script = tmp_path / "points.py"
    script.write_text(
        textwrap.dedent(
            """
            from zentfx import BaseMaterializer, pipeline, step

            class Point:
                def __init__(self, x):
                    self.x = x

            class PointMaterializer(BaseMaterializer):
                handles = (Point,)

                def save(self, value, folder):
                    (folder / "x").write_text(str(value.x))

                def load(self, folder, type):
                    return Point(int((folder / "x").read_text()) + 1)

                def extract_metadata(self, value):
                    return {"x": value.x}

            @step
            def make(x: int):
                return Point(x)

            @step
            def show(point) -> int:
                return point.x

            @pipeline(progress=False, max_workers=2)
            def whole():
                show(make(5))

            run = whole()
            print(run.steps["make"].outputs["output"].metadata["x"])
            print(run.steps["show"].outputs["output"].load())
            """
        )
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout.split() == ["5", "6"], done.stderr


def test_what_a_script_is_given_counts(repository, tmp_path):
    script = tmp_path / "given.py"
    script.write_text(
        textwrap.dedent(
            """
            import argparse
            import json
            from pathlib import Path
            from zentfx import pipeline, step

            parser = argparse.ArgumentParser()
            parser.add_argument("--rate", type=float)
            args = parser.parse_args()
            config = json.loads(Path("config.json").read_text())

            @step
            def train() -> float:
                return args.rate

            @step
            def report() -> int:
                return config["x"]

            @pipeline(progress=False)
            def whole():
                train()
                report()

            run = whole()
            print({name: item.status for name, item in run.steps.items()})
            """
        )
    )

    def run(rate, x):
        (tmp_path / "config.json").write_text(json.dumps({"x": x}))
        done = subprocess.run(
            [sys.executable, script, "--rate", str(rate)],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.replace("'", '"'))

    assert run(1, 1) == {"train": "completed", "report": "completed"}
    assert run(1, 1) == {"train": "cached", "report": "cached"}
    assert run(2, 1) == {"train": "completed", "report": "cached"}
    assert run(2, 5) == {"train": "cached", "report": "completed"}


def test_an_edit_makes_only_that_run_again_which_depends_on_it(repository, tmp_path):
    text = textwrap.dedent(
        """
        from zentfx import pipeline, step

        FACTOR = 2

        def scale(x):
            return x * FACTOR

        @step
        def load() -> int:
            return 1

        @step
        def train(x: int) -> int:
            return scale(x)

        @step
        def report(x: int) -> str:
            return f"{x}"

        @pipeline(progress=False)
        def whole():
            report(train(load()))

        if __name__ == "__main__":
            run = whole()
            print({name: item.status for name, item in run.steps.items()})
        """
    )
    script = tmp_path / "whole.py"

    def run(text):
        script.write_text(text)
        done = subprocess.run(
            [sys.executable, script], capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.replace("'", '"'))

    assert set(run(text).values()) == {"completed"}
    assert set(
        run(text.replace("return x * FACTOR", "return x * FACTOR  # a remark")).values()
    ) == {"cached"}
    changed = run(text.replace("FACTOR = 2", "FACTOR = 33"))
    assert changed == {"load": "cached", "train": "completed", "report": "completed"}
    changed = run(text.replace("FACTOR = 2", "FACTOR = 33").replace('f"{x}"', 'f"<{x}>"'))
    assert changed == {"load": "cached", "train": "cached", "report": "completed"}
