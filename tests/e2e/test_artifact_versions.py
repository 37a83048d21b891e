"""Versions of named artifacts: made, used elsewhere, registered, run for real."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest

from tests.e2e.function_steps import (
    add,
    making,
    numbers,
    quiet,
    statuses,
    total,
    using,
)
from zentfx import (
    ArtifactConfig,
    Pipeline,
    Repository,
    register_artifact,
    step,
)
from zentfx.errors import (
    DataError,
    DataNotFoundError,
    NotFoundError,
    ParameterTypeError,
    PipelineError,
    StepDefinitionError,
    StepFailedError,
    StoreError,
    ZenTFXWarning,
)
from zentfx.records.versions import Versions


class TestVersions:
    def test_each_result_is_a_version_in_a_folder_of_its_own(self, repository):
        @quiet
        def simple(count):
            numbers(count)

        for count in (2, 3, 2):
            simple(count)
        listed = repository.list_artifact_versions("numbers")
        assert [item.version for item in listed] == ["1", "2"]
        assert len({item.uri for item in listed}) == 2
        assert repository.get_artifact_version("numbers").load().tolist() == [0, 1, 2]
        first = repository.get_artifact_version("numbers", 1)
        assert first.data.tolist() == [0, 1]
        assert (first.name, first.version, first.type) == ("numbers", "1", "zentfx.Dataset")
        assert first.metadata["shape"] == "(2,)"
        assert first.producer.name == "numbers"
        assert first.run.id == repository.get_runs()[0].id
        assert first.digest.startswith("sha256:")
        [named] = repository.list_artifacts()
        assert (named.name, named.versions, named.latest.version) == ("numbers", 2, "2")

    def test_look_ups_that_miss_name_what_is_near(self, repository):
        @quiet
        def simple():
            numbers()

        simple()
        for look, message in (
            (lambda: repository.get_artifact_version("number"), "'numbers'"),
            (lambda: repository.get_artifact_version("number", 1), "'numbers'"),
            (lambda: repository.get_artifact_version("numbers", 2), "no version '2'"),
            (lambda: repository.list_artifact_versions("number"), "'numbers'"),
        ):
            with pytest.raises(NotFoundError, match=message):
                look()

    def test_an_explicit_version_is_given_once(self, repository):
        @step
        def answer(x: int) -> Annotated[int, ArtifactConfig(name="answer", version="1.0")]:
            return x

        @quiet
        def asking(x):
            answer(x)

        assert statuses(asking(1)) == {"answer": "completed"}
        assert statuses(asking(1)) == {"answer": "cached"}
        with pytest.raises(StepFailedError, match="Version '1.0' of the artifact 'answer'"):
            asking(2)
        [version] = repository.list_artifact_versions("answer")
        assert (version.version, version.load()) == ("1.0", 1)

    def test_a_version_whose_files_are_gone_is_made_again(self, repository):
        @step
        def answer(x: int) -> Annotated[int, ArtifactConfig(name="answer", version="1.0")]:
            return x

        @quiet
        def asking(x):
            add(answer(x), 1)

        asking(1)
        first = repository.get_artifact_version("answer", "1.0")
        shutil.rmtree(first.uri)
        with pytest.raises(DataNotFoundError, match="Run its pipeline again"):
            first.load()
        assert statuses(asking(1))["answer"] == "completed"
        again = repository.get_artifact_version("answer")
        assert (again.version, again.load(), again.id > first.id) == ("1.0", 1, True)
        [listed] = repository.list_artifact_versions("answer")
        assert listed.id == again.id
        [named] = repository.list_artifacts()
        assert named.versions == 1
        assert repository.get_artifact_version(first.id).state == "deleted"
        with pytest.raises(StepFailedError, match="is there already"):
            asking(2)
        # Only the same result may take its place: tags and notes are about that.
        again.annotate(note="the one of the paper")
        again.add_tags("good")
        shutil.rmtree(again.uri)
        with pytest.raises(StepFailedError, match="is there already"):
            asking(2)
        asking(1)
        third = repository.get_artifact_version("answer", "1.0")
        assert third.id > again.id
        assert (third.note, third.tags, third.load()) == ("the one of the paper", ("good",), 1)

    @pytest.mark.parametrize("lost", ["folder", "file"])
    def test_what_is_left_of_a_lost_result_is_made_again_too(self, repository, lost):
        @step
        def both() -> tuple[
            Annotated[np.ndarray, ArtifactConfig(name="a", version=1)],
            Annotated[np.ndarray, ArtifactConfig(name="b", version=1)],
        ]:
            return np.arange(3), np.arange(4)

        @quiet
        def simple():
            both()

        simple()
        folder = Path(repository.get_artifact_version("a").uri)
        shutil.rmtree(folder) if lost == "folder" else (folder / "array.npy").unlink()
        with pytest.raises(StepFailedError, match="is there already"):
            quiet(lambda: both(), name="simple", enable_cache=False)()
        assert statuses(simple()) == {"both": "completed"}
        assert [len(repository.get_artifact_version(name, 1).load()) for name in "ab"] == [3, 4]

    def test_two_who_make_a_version_again_at_once(self, repository):
        @step
        def answer(x: int) -> Annotated[int, ArtifactConfig(name="answer", version=1, tags=["t"])]:
            time.sleep(0.2)
            return x

        @quiet(in_process=True)
        def asking():
            answer(1)

        asking()
        shutil.rmtree(repository.get_artifact_version("answer").uri)

        def ask(number):
            try:
                asking.with_options(name=f"asking_{number}", repository=repository.path)()
            except StepFailedError as error:
                return str(error)
            return "made"

        with ThreadPoolExecutor(3) as threads:
            ends = list(threads.map(ask, range(3)))
        assert "made" in ends
        assert all("answer" in end and "is " in end for end in ends if end != "made"), ends
        live = [
            item
            for item in repository.list_artifact_versions(state="live")
            if item.name == "answer"
        ]
        assert [(item.version, item.tags) for item in live] == [("1", ("t",))]

    @pytest.mark.filterwarnings("ignore:Step 'answer'. its argument 'file'")  # a mere flag
    def test_a_version_of_a_failed_run_can_be_given_again(self, repository, tmp_path):
        @step
        def answer(file: str) -> Annotated[int, ArtifactConfig(name="answer", version=7)]:
            if not Path(file).exists():
                raise ValueError("not yet")
            return 1

        @quiet
        def asking():
            answer(str(tmp_path / "ready"))

        with pytest.raises(StepFailedError, match="not yet"):
            asking()
        (tmp_path / "ready").touch()
        asking()
        assert repository.get_artifact_version("answer", "7").load() == 1

    def test_names_with_placeholders(self, repository):
        @step
        def dated(source: str) -> Annotated[str, "{kind}_{date}"]:
            return source

        @step
        def timed() -> Annotated[int, "at_{time}"]:
            return 1

        @quiet
        def several(source="a"):
            for kind in ("train", "test"):
                dated.with_options(name=kind, substitutions={"kind": kind})(source)
            timed()

        today = f"{time.localtime().tm_year}_"
        run = several()
        [train] = run.steps["train"].outputs
        assert train.startswith(f"train_{today}")
        assert run.steps["test"].outputs[train.replace("train", "test")].load() == "a"
        [at] = run.steps["timed"].outputs
        assert len(at.split("_")) == 5
        assert set(statuses(several()).values()) == {"cached"}

    def test_a_substitution_is_part_of_the_key(self, repository):
        @step
        def data() -> Annotated[int, "{kind}_data"]:
            return 1

        @quiet
        def one(kind):
            data.with_options(substitutions={"kind": kind})()

        assert statuses(one("a")) == statuses(one("b")) == {"data": "completed"}
        assert [item.name for item in repository.list_artifacts()] == ["a_data", "b_data"]

    def test_tags_come_after_the_fact_and_nothing_is_computed_for_them(self, repository):
        @step
        def tagged() -> Annotated[int, ArtifactConfig(name="tagged", tags=["b", "a"])]:
            return 1

        @quiet
        def simple():
            add(tagged(), 1)

        simple()
        version = repository.get_artifact_version("tagged")
        assert version.tags == ("a", "b")
        long = [f"{number}{'ä' * 120}" for number in range(30)]  # more than one property holds
        version.add_tags("c", *long)
        version.remove_tags("a")
        assert repository.get_artifact_version("tagged").tags == tuple(sorted(["b", "c", *long]))
        version.remove_tags(*long)
        assert repository.get_artifact_version("tagged").tags == ("b", "c")
        text = "näher\n" * 20_000
        version.annotate(note=text)
        version.add_tags("d")
        again = repository.get_artifact_version("tagged")
        assert (again.note, again.tags) == (text, ("b", "c", "d"))
        version.annotate(note="short")
        assert again.note == "short"
        version.annotate(note=None)
        version.remove_tags("d", "never there")
        assert again.note is None
        for wrong in ("", 3):
            with pytest.raises(ParameterTypeError, match="note must"):
                version.annotate(note=wrong)
        assert again.tags == ("b", "c")
        assert set(statuses(simple()).values()) == {"cached"}
        unnamed = repository.get_artifact_version("simple::add::output")
        assert unnamed.note is None
        with pytest.raises(DataError, match="has no name and version"):
            unnamed.annotate(note="x")
        assert (unnamed.tags, unnamed.version) == ((), None)
        with pytest.raises(DataError, match="has no name and version"):
            unnamed.add_tags("a")

    def test_types_by_their_short_names(self, repository):
        @step
        def table() -> Annotated[pd.DataFrame, "table"]:
            return pd.DataFrame({"a": [1]})

        @quiet
        def simple():
            table()

        run = simple()
        for name in ("Dataset", "zentfx.Dataset", "mlmd.Dataset"):
            assert [item.name for item in repository.list_artifact_versions(type=name)] == ["table"]
            assert len(run.graph().of_type(name)) == 1
        with pytest.raises(NotFoundError, match="no artifacts of type 'Model'"):
            repository.list_artifact_versions(type="Model")
        making(3)
        quiet(lambda: add(1, 2), name="Without")()
        assert list(repository.list_artifact_versions(type="Dataset", pipeline="Without")) == []

    def test_searches_in_a_step_make_it_run_again(self, repository):
        @step
        def made(x: int) -> Annotated[int, "made"]:
            return x

        @step
        def count() -> int:
            return len(Repository().list_artifact_versions("made"))

        @step
        def runs() -> int:
            return len(Repository().get_runs())

        @quiet
        def looking(x):
            count(after=made(x))
            runs(after="count")

        assert looking(1).steps["count"].outputs["output"].load() == 1
        run = looking(2)
        assert statuses(run) == {"made": "completed", "count": "completed", "runs": "completed"}
        assert run.steps["count"].outputs["output"].load() == 2
        assert run.steps["runs"].outputs["output"].load() == 2
        assert not run.steps["count"].inputs

    def test_listings_by_tag_take_the_versions_own_and_those_of_runs(self, repository):
        @step
        def one(x: int) -> Annotated[int, "one"]:
            return x

        @step
        def two(x: int) -> Annotated[int, "two"]:
            return x

        @quiet
        def both(x):
            one(x)
            two(x)

        def found(**criteria):
            listed = repository.list_artifact_versions(**criteria)
            return [(item.name, item.version) for item in listed]

        both(1)
        with repository.experiment("e", tags=["friday"]):
            both(2)
        with pytest.raises(NotFoundError, match="no tag 'good'"):
            found(tag="good")
        repository.get_artifact_version("one", 1).add_tags("good")
        with pytest.raises(NotFoundError, match="no tag 'god'.* 'good'"):
            found(tag="god")
        assert found(tag="good") == [("one", "1")]
        assert found(tag="friday") == [("one", "2"), ("two", "2")]
        repository.get_artifact_version("two", 1).add_tags("friday")
        assert found(tag="friday") == [("two", "1"), ("one", "2"), ("two", "2")]
        assert found(tag="friday", name="two") == [("two", "1"), ("two", "2")]
        assert found(tag="good", pipeline="both") == [("one", "1")]
        with pytest.raises(NotFoundError):
            found(tag="good", pipeline="no such")

    def test_two_who_tag_at_once_lose_nothing(self, repository):
        @step
        def tagged() -> Annotated[int, "tagged"]:
            return 1

        @quiet
        def simple():
            tagged()

        simple()

        def tag(number):
            Repository(repository.path).get_artifact_version("tagged").add_tags(str(number))

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(tag, range(12)))
        version = repository.get_artifact_version("tagged")
        assert version.tags == tuple(sorted(map(str, range(12))))

    @pytest.mark.slow
    def test_eight_processes_get_eight_versions(self, repository, tmp_path):
        script = tmp_path / "one.py"
        script.write_text(
            textwrap.dedent(
                """
                import sys
                from typing import Annotated
                from zentfx import pipeline, step

                @step
                def save(number: int) -> Annotated[int, "same"]:
                    return number

                @pipeline(progress=False)
                def saving(number):
                    save(number)

                saving(int(sys.argv[1]))
                """
            )
        )
        started = [
            subprocess.Popen(
                [sys.executable, script, str(number)], stderr=subprocess.PIPE, text=True
            )
            for number in range(8)
        ]
        for process in started:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
        listed = repository.list_artifact_versions("same")
        assert sorted(item.version for item in listed) == [str(n) for n in range(1, 9)]
        assert sorted(item.load() for item in listed) == list(range(8))

    def test_a_version_that_a_killed_run_did_not_come_to_is_made_later(
        self, repository, monkeypatch
    ):
        @quiet
        def simple():
            numbers(3)

        def killed(*args):
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Versions, "publish", killed)
            with pytest.raises(KeyboardInterrupt):
                simple()
        with pytest.raises(NotFoundError):
            repository.get_artifact_version("numbers")
        assert statuses(simple()) == {"numbers": "cached"}
        assert repository.get_artifact_version("numbers", "1").load().tolist() == [0, 1, 2]

    def test_a_file_that_was_tampered_with_is_not_loaded(self, repository):
        @quiet
        def simple():
            total(numbers(3))

        run = simple()
        version = run.steps["numbers"].outputs["numbers"]
        file = Path(version.uri, "array.npy")
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
        with pytest.raises(DataError, match="not those that were saved"):
            version.load()

    def test_a_folder_that_was_deleted_is_made_again(self, repository):
        import shutil

        @quiet
        def simple():
            total(numbers(3))

        run = simple()
        shutil.rmtree(run.steps["numbers"].outputs["numbers"].uri)
        with pytest.raises(DataNotFoundError, match="gone"):
            run.steps["numbers"].outputs["numbers"].load()
        again = simple()
        assert statuses(again)["numbers"] == "completed"
        assert again.steps["numbers"].outputs["numbers"].version == "2"


class TestArtifactsOfOthers:
    def test_an_artifact_of_another_pipeline_is_an_input(self, repository):
        making(3)
        run = using()
        assert run.steps["total"].inputs["values"].version == "1"
        assert statuses(using()) == {"total": "cached"}
        making(4)
        moved = using()
        assert statuses(moved) == {"total": "completed"}
        assert moved.steps["total"].inputs["values"].version == "2"
        graph = moved.steps["total"].outputs["output"].upstream()
        assert "numbers" in str(graph)

    def test_it_is_named_in_the_yaml_and_the_latest_is_taken_without_a_version(
        self, repository, tmp_path
    ):
        making(3)
        text = using.to_yaml()
        assert "artifact: numbers\n        version: '1'" in text
        assert statuses(Pipeline.from_yaml(text).run(progress=False)) == {"total": "completed"}
        making(5)
        latest = Pipeline.from_yaml(text.replace("        version: '1'\n", ""))
        run = latest.run(progress=False)
        assert run.steps["total"].inputs["values"].version == "2"

    def test_one_that_is_not_there_is_refused_before_anything_runs(self, repository):
        text = textwrap.dedent(
            f"""
            zentfx: 1
            name: p
            type: zentfx.Pipeline
            steps:
              total:
                source: {__name__}.total
                inputs: {{values: {{artifact: nothing}}}}
            """
        )
        with pytest.raises(PipelineError, match="'values' of step 'total' reads nothing"):
            Pipeline.from_yaml(text).run(progress=False)
        assert repository.get_runs() == []

    def test_what_a_step_looks_up_is_an_input_and_the_latest_is_looked_up_again(self, repository):
        @step
        def compare(x: float) -> float:
            return float(Repository().get_artifact_version("numbers").data.sum()) - x

        @step
        def pinned(x: float) -> float:
            return float(Repository().get_artifact_version("numbers", "1").load().sum()) - x

        @quiet
        def looking():
            compare(1)
            pinned(1)

        making(3)
        run = looking()
        for name in ("compare", "pinned"):
            assert run.steps[name].inputs["numbers"].version == "1"
            assert run.steps[name].outputs["output"].load() == 2.0
        again = looking()
        assert statuses(again) == {"compare": "completed", "pinned": "cached"}
        assert again.steps["pinned"].inputs["numbers"].version == "1"
        making(4)
        assert looking().steps["compare"].outputs["output"].load() == 5.0

    @pytest.mark.parametrize("version", [None, "1"])
    def test_what_is_an_input_can_be_looked_up_too(self, repository, version):
        @step
        def same(values: np.ndarray) -> bool:
            found = Repository().get_artifact_version("numbers", version)
            return bool((found.load() == values).all())

        @quiet
        def looking():
            same(numbers(3))

        making(3)
        run = looking()
        assert statuses(run) == {"numbers": "cached", "same": "completed"}
        assert run.steps["same"].outputs["output"].load() is True
        assert list(run.steps["same"].inputs) == ["values"]
        expected = "completed" if version is None else "cached"
        assert statuses(looking()) == {"numbers": "cached", "same": expected}

    @pytest.mark.parametrize(
        ("name", "version"),
        [("numbers", None), ("numbers", "1"), ("making::numbers::numbers", None)],
    )
    def test_what_a_step_has_not_found_it_looks_for_again(self, repository, name, version):
        @step
        def warm() -> int:
            try:
                return len(Repository().get_artifact_version(name, version).load())
            except KeyError:
                return 0

        @quiet
        def warming():
            warm()

        assert warming().steps["warm"].outputs["output"].load() == 0
        making(4)
        assert warming().steps["warm"].outputs["output"].load() == 4

    def test_a_run_that_a_step_has_not_found_is_looked_for_again(self, repository):
        @step
        def seen(run_id: str) -> bool:
            try:
                return bool(Repository().get_pipeline_run(run_id))
            except KeyError:
                return False

        @quiet
        def looking():
            seen("20300101-000000-00000000")

        looking()
        assert statuses(looking()) == {"seen": "completed"}

    @pytest.mark.parametrize("wired", [True, False])
    def test_a_name_is_of_what_was_there_before_the_run(self, repository, wired):
        @step
        def previous(values: np.ndarray | None = None) -> int:
            return len(Repository().get_artifact_version("numbers").load())

        @quiet
        def looking(count: int):
            made = numbers(count)
            previous(made) if wired else previous(after=made)

        with pytest.raises(StepFailedError, match="no version of the artifact 'numbers' from befo"):
            looking(2)
        for count, before in ((3, 2), (4, 3)):
            run = looking(count)
            assert statuses(run) == {"numbers": "completed", "previous": "completed"}
            assert run.steps["previous"].outputs["output"].load() == before
        # Here the latest is what the run reuses, and has been there before it.
        run = looking(4)
        assert statuses(run) == {"numbers": "cached", "previous": "completed"}
        assert run.steps["previous"].outputs["output"].load() == 4

    def test_a_step_does_not_find_by_name_what_it_has_registered(self, repository):
        @step
        def registering(text: str) -> str:
            Path("note.txt").write_text(text)
            register_artifact("note.txt", "note")
            return str(Repository().get_artifact_version("note").load().read_text())

        @quiet
        def making_notes(text: str):
            registering(text)

        with pytest.raises(StepFailedError, match="from before this run"):
            making_notes("one")
        assert making_notes("two").steps["registering"].outputs["output"].load() == "one"

    def test_a_step_without_outputs_looks_again_too(self, repository):
        seen = []

        @step
        def look() -> None:
            seen.append(Repository().get_artifact_version("numbers").version)

        @quiet
        def looking():
            look()

        for count in (1, 2):
            making(count)
            looking()
        assert seen == ["1", "2"]

    def test_an_artifact_of_another_repository_is_refused(self, repository, tmp_path):
        other = Repository(tmp_path / "other")
        (tmp_path / "x.txt").write_text("x")
        theirs = other.register_artifact(tmp_path / "x.txt", "numbers")

        @quiet
        def using():
            add(theirs)

        with pytest.raises(PipelineError, match="of the repository at .*other"):
            using()

    def test_a_step_in_a_worker_finds_the_same_repository(self, repository, monkeypatch):
        @step
        def compare() -> float:
            return float(Repository().get_artifact_version("numbers").data.sum())

        @quiet
        def looking():
            compare.with_options(timeout=60)(after=numbers(3))

        making(3)
        made = looking.with_options(repository=repository)
        monkeypatch.delenv("ZENTFX_REPOSITORY")
        run = made()
        assert run.steps["compare"].inputs["numbers"].version == "1"
        assert statuses(made()) == {"numbers": "cached", "compare": "completed"}


class TestRegistering:
    def test_files_that_changed_since_are_lost_to_their_version(self, repository):
        folder = Path(repository.active_stack.artifact_store.path, "mine")
        folder.mkdir(parents=True)
        (folder / "model.pkl").write_text("one")
        register_artifact(folder, "folder", version="v1")
        register_artifact(folder, "folder")  # of the same, nothing is said
        (folder / "model.pkl").write_text("two")
        with pytest.warns(ZenTFXWarning, match="have changed since .* v1, 1, which cannot be load"):
            register_artifact(folder, "folder")
        assert (repository.get_artifact_version("folder").load() / "model.pkl").read_text() == "two"
        with pytest.raises(DataError, match="was changed, or is damaged"):
            repository.get_artifact_version("folder", "v1").load()

    def test_a_folder_and_a_file_in_the_store_stay_where_they_are(self, repository, capsys):
        folder = Path(repository.active_stack.artifact_store.path, "mine")
        folder.mkdir(parents=True)
        (folder / "model.pkl").write_text("weights")
        made = register_artifact(folder_or_file_uri=str(folder), name="folder")
        one = register_artifact(folder / "model.pkl", "file", version="1.0", tags=["x"])
        assert (made.uri, made.version) == (str(folder), "1")
        assert (one.version, one.tags) == ("1.0", ("x",))
        found = repository.get_artifact_version("folder").load()
        assert (found / "model.pkl").read_text() == "weights"
        assert found.is_dir()
        assert found != folder
        assert one.load().read_text() == "weights"
        assert one.load().is_file()
        assert "copied" not in capsys.readouterr().err
        assert register_artifact(folder, "folder").version == "2"

    def test_others_are_copied_and_that_is_said(self, repository, tmp_path, capsys):
        (tmp_path / "data.txt").write_text("x")
        made = register_artifact("data.txt", "data")
        assert f"copied {tmp_path / 'data.txt'}" in capsys.readouterr().err
        (tmp_path / "data.txt").write_text("changed")
        assert made.load().read_text() == "x"

    def test_in_a_step_it_is_an_output_of_it(self, repository, tmp_path):
        @step
        def training() -> int:
            for epoch in range(2):
                Path("checkpoint.txt").write_text(str(epoch))
                register_artifact("checkpoint.txt", "checkpoints")
            return 1

        @quiet
        def simple():
            training()

        run = simple()
        listed = repository.list_artifact_versions("checkpoints")
        assert [item.version for item in listed] == ["1", "2"]
        assert [item.load().read_text() for item in listed] == ["0", "1"]
        assert {item.producer.name for item in listed} == {"training"}
        assert run.steps["training"].outputs["checkpoints"].run.id == run.id
        assert statuses(simple()) == {"training": "cached"}

    @pytest.mark.parametrize(
        ("path", "name", "version", "error"),
        [
            ("nowhere", "a", None, DataNotFoundError),
            ("here", "a/b", None, StepDefinitionError),
            ("here", "", None, StepDefinitionError),
            ("here", 3, None, StepDefinitionError),
            ("here", "a", "1/2", StepDefinitionError),
            ("here", "{kind}", None, StepDefinitionError),
            ("here", "a", 1.5, StepDefinitionError),
            ("here", "taken", "1", DataError),
        ],
    )
    def test_bad_calls_change_nothing(self, repository, tmp_path, path, name, version, error):
        (tmp_path / "here").write_text("x")
        register_artifact("here", "taken")
        with pytest.raises(error):
            register_artifact(path, name, version)
        assert [item.name for item in repository.list_artifacts()] == ["taken"]
        assert len(repository.list_artifact_versions()) == 1
        copies = Path(repository.active_stack.artifact_store.path, "registered")
        assert len(list(copies.iterdir())) == 1
        for tags in ("ab", [1], 3):
            with pytest.raises(StepDefinitionError, match="tags must be a list"):
                register_artifact("here", "b", tags=tags)

    def test_a_read_only_repository_refuses(self, repository, tmp_path):
        (tmp_path / "here").write_text("x")
        register_artifact("here", "a")
        other = Repository(metadata=repository.path / ".zentfx" / "metadata.db")
        with pytest.raises(StoreError, match="to be read"):
            other.register_artifact("here", "a")
