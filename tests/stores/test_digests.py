"""Digests: by content, and by nothing else."""

import hashlib
import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zentfx.errors import DataNotFoundError
from zentfx.stores.digests import digest_of


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/a.csv").write_text("1")
    (tmp_path / "data/deep/b.csv").write_text("2")
    return tmp_path / "data"


def test_a_files_digest_is_the_sha256_of_its_content(tmp_path):
    file = tmp_path / "x"
    content = bytes(range(256)) * 10_000  # more than one chunk
    file.write_bytes(content)
    assert digest_of(file) == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_the_name_and_the_times_of_a_file_do_not_count(tmp_path):
    file = tmp_path / "x"
    file.write_text("1")
    before = digest_of(file)
    os.utime(file, (0, 0))
    file = file.rename(tmp_path / "y")
    assert digest_of(file) == before


def test_an_edit_of_equal_size_and_time_counts(tmp_path):
    file = tmp_path / "x"
    file.write_text("1")
    status, before = file.stat(), digest_of(file)
    file.write_text("2")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digest_of(file) != before


def test_the_place_and_the_times_of_a_folder_do_not_count(folder, tmp_path):
    before = digest_of(folder)
    os.utime(folder / "a.csv", (0, 0))
    shutil.copytree(folder, tmp_path / "copy")
    assert digest_of(tmp_path / "copy") == digest_of(folder) == before


def edit(folder):
    (folder / "deep/b.csv").write_text("3")


def add(folder):
    (folder / "deep/c.csv").write_text("")


def remove(folder):
    (folder / "a.csv").unlink()


def rename(folder):
    (folder / "a.csv").rename(folder / "b.csv")


def move(folder):
    (folder / "a.csv").rename(folder / "deep/a.csv")


def swap(folder):
    (folder / "a.csv").write_text("2")
    (folder / "deep/b.csv").write_text("1")


@pytest.mark.parametrize("change", [edit, add, remove, rename, move, swap])
def test_the_files_inside_a_folder_count_with_their_names(folder, change):
    before = digest_of(folder)
    change(folder)
    assert digest_of(folder) != before


def test_empty_folders_do_not_count(folder):
    before = digest_of(folder)
    (folder / "empty").mkdir()
    assert digest_of(folder) == before


@pytest.mark.parametrize("name", [".git", ".zentfx", ".DS_Store"])
def test_what_tools_leave_in_a_folder_does_not_count(folder, name):
    before = digest_of(folder)
    (folder / "deep" / name).write_text("x")
    (folder / name).mkdir()
    (folder / name / "inside").write_text("x")
    assert digest_of(folder) == before


@pytest.mark.parametrize("name", [".hidden", ".gitignore", "caf\udce9"])
def test_files_with_odd_names_count(folder, name):
    before = digest_of(folder)
    (folder / name).write_text("1")
    added = digest_of(folder)
    (folder / name).write_text("2")
    assert len({before, added, digest_of(folder)}) == 3


def test_what_a_link_leads_to_counts(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/c.csv").write_text("3")
    digests = [digest_of(folder)]
    for link in ("one", "two"):  # the second to what counts already
        (folder / link).symlink_to(tmp_path / "elsewhere")
        digests.append(digest_of(folder))
    (tmp_path / "elsewhere/c.csv").write_text("4")
    assert len({*digests, digest_of(folder)}) == 4


def test_a_link_that_leads_back_up_does_not_count(folder):
    before = digest_of(folder)
    (folder / "deep/up").symlink_to(folder)
    (folder / "deep/self").symlink_to(folder / "deep")
    assert digest_of(folder) == before
    (folder / "a.csv").write_text("5")
    assert digest_of(folder) != before


def test_a_broken_link_does_not_count(folder):
    before = digest_of(folder)
    (folder / "gone").symlink_to(folder / "nowhere")
    assert digest_of(folder) == before


def test_files_that_are_named_count_by_content_and_order_alone(folder, tmp_path):
    first, second = folder / "a.csv", folder / "deep/b.csv"
    before = digest_of(folder, [first, second])
    assert digest_of(folder, [second, first]) != before
    (folder / "notes.txt").write_text("x")
    assert digest_of(folder, [first.rename(folder / "z.csv"), second]) == before
    second.write_text("3")
    assert digest_of(folder, [folder / "z.csv", second]) != before


def test_a_file_counts_as_itself_whatever_is_named_with_it(folder):
    assert digest_of(folder / "a.csv", [folder / "deep/b.csv"]) == digest_of(folder / "a.csv")


def test_what_is_missing_is_an_error(tmp_path):
    with pytest.raises(DataNotFoundError, match="no file or folder"):
        digest_of(tmp_path / "gone")


file_names = st.text(st.sampled_from("ab-. "), min_size=1, max_size=3).filter(
    lambda name: name.strip(".") != ""
)


@settings(max_examples=40)
@given(
    st.dictionaries(file_names, st.binary(max_size=3), max_size=3),
    st.dictionaries(file_names, st.binary(max_size=3), max_size=3),
)
def test_folders_have_equal_digests_if_their_files_are_equal(tmp_path_factory, left, right):
    digests = []
    for content in (left, right):
        folder = tmp_path_factory.mktemp("folder")
        for name, data in content.items():
            (folder / name).write_bytes(data)
        digests.append(digest_of(folder))
    assert (digests[0] == digests[1]) == (left == right)
