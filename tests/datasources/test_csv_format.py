"""The files that a path stands for."""

import pytest

from zentfx.datasources.csv_format import csv_files, pattern_of
from zentfx.errors import DataNotFoundError


@pytest.fixture
def folder(tmp_path):
    names = "2.csv 1.csv.gz notes.txt deep/3.csv deep/er/4.csv x[1].csv .hidden.csv ._2.csv B.CSV"
    for name in names.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.csv").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "files", "pattern"),
    [
        ("2.csv", ["2.csv"], (".", "2.csv")),
        ("notes.txt", ["notes.txt"], (".", "notes.txt")),
        (".", ["1.csv.gz", "2.csv", "B.CSV", "x[1].csv"], (".", "*.csv*")),
        ("x[1].csv", ["x[1].csv"], (".", "x[1].csv")),
        ("*.csv", ["2.csv", "x[1].csv"], (".", "*.csv")),
        ("[12].csv*", ["1.csv.gz", "2.csv"], (".", "[12].csv*")),
        ("deep/*.csv", ["deep/3.csv"], ("deep", "*.csv")),
        ("d*/*.csv", ["deep/3.csv"], (".", "d*/*.csv")),
        ("deep/**/*.csv", ["deep/3.csv", "deep/er/4.csv"], ("deep", "**/*.csv")),
    ],
)
def test_a_path_is_a_file_a_folder_or_a_pattern(folder, path, files, pattern):
    assert csv_files(folder / path) == [folder / name for name in files]
    assert pattern_of(folder / path) == (folder / pattern[0], pattern[1])


def test_a_folder_without_csv_files(tmp_path):
    with pytest.raises(DataNotFoundError, match=r"has no \*.csv or \*.csv.gz files"):
        csv_files(tmp_path)


def test_a_pattern_that_no_file_matches(folder):
    with pytest.raises(DataNotFoundError, match=r"No file matches the pattern .*/7\*.csv"):
        csv_files(folder / "7*.csv")


def test_a_missing_file_is_named_with_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataNotFoundError, match=f"no file {tmp_path}/rows.csv.*{tmp_path} now"):
        csv_files(tmp_path / "rows.csv")


@pytest.mark.parametrize("name", ["2.csv/x.csv", "a\0b.csv", "x" * 300])
def test_a_name_that_no_file_can_have(folder, name):
    with pytest.raises(DataNotFoundError):
        csv_files(folder / name)


def test_a_broken_link_is_not_left_out(folder):
    (folder / "3.csv").symlink_to(folder / "gone")
    assert folder / "3.csv" in csv_files(folder)
