"""The input files of a step: which count for the cache, and under which names."""

from pathlib import Path

import pytest

from zentfx import BaseStep, CSVDatasource, TrainerStep
from zentfx.errors import DataError, DataNotFoundError
from zentfx.steps.input_files import input_digests
from zentfx.stores.digests import digest_of


class Reader(BaseStep):
    def __init__(self, path: Path, more: dict[str, list[Path]] | None = None, text: str = ""):
        self.path = path


class Fixed(Reader):
    def __init__(self, folder: str):
        super().__init__(path=f"{folder}/a.csv", more={"k": [f"{folder}/b.csv"]})


@pytest.fixture
def files(tmp_path):
    for name in ("a.csv", "b.csv", "notes.txt"):
        (tmp_path / name).write_text(f"column\n{name}\n")
    return tmp_path


def test_a_step_without_paths_has_none():
    assert input_digests(TrainerStep()) == {}


def test_every_path_is_digested_wherever_it_stands(files):
    step = Reader(files / "a.csv", {"k": [files / "b.csv", files]}, text=str(files / "notes.txt"))
    assert input_digests(step) == {
        "path": digest_of(files / "a.csv"),
        "more['k'][0]": digest_of(files / "b.csv"),
        "more['k'][1]": digest_of(files),
    }


def test_keys_that_look_alike_are_kept_apart(files):
    step = Reader(files / "a.csv", {"k'][0]": [files / "a.csv"], "k": [files / "b.csv"]})
    assert len(input_digests(step)) == 3


def test_paths_that_a_subclass_computes_are_digested_too(files):
    assert input_digests(Fixed(str(files))) == {
        "derived.path": digest_of(files / "a.csv"),
        "derived.more['k'][0]": digest_of(files / "b.csv"),
    }


def test_of_a_folder_of_csv_files_those_count_by_content_and_order(files):
    step = CSVDatasource(name="rows", path=files)
    before = input_digests(step)
    (files / "notes.txt").write_text("other")
    (files / "b.csv").rename(files / "c.csv")
    assert input_digests(step) == before
    (files / "c.csv").write_text("column\nother\n")
    assert input_digests(step) != before


def test_a_path_with_nothing_behind_it_names_the_step_and_the_parameter(tmp_path):
    with pytest.raises(DataNotFoundError, match=f"^Reader: path: .*{tmp_path}/gone"):
        input_digests(Reader(tmp_path / "gone"))
    with pytest.raises(DataNotFoundError, match="^CSVDatasource: path: "):
        input_digests(CSVDatasource(name="rows", path=tmp_path / "gone"))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file nobody can read")
def test_a_file_that_cannot_be_read_names_the_step_and_the_parameter():
    with pytest.raises(DataError, match="^Reader: path: /proc/self/mem cannot be read: "):
        input_digests(Reader("/proc/self/mem"))
