"""Files below a folder are moved and removed, and never what a link leads to."""

from pathlib import PurePath

import pytest

from zentfx.stores.below import move_below, remove_below


@pytest.fixture
def folder(tmp_path):
    """A folder with files and links, and another one that the links lead to."""
    for name in ("inside/a/one", "inside/a/deep/two", "outside/kept", "outside/sub/kept"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "inside/a/file-link").symlink_to(tmp_path / "outside/kept")
    (tmp_path / "inside/a/folder-link").symlink_to(tmp_path / "outside")
    (tmp_path / "inside/a/dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "inside/out").symlink_to(tmp_path / "outside")
    return tmp_path / "inside"


@pytest.fixture(autouse=True)
def nothing_outside_changes(folder):
    yield
    outside = folder.parent / "outside"
    assert sorted(path.name for path in outside.rglob("*")) == ["kept", "kept", "sub"]


def test_a_folder_goes_with_its_links_and_not_what_they_lead_to(folder):
    remove_below(folder, PurePath("a"))
    assert [path.name for path in folder.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["a/one", "a/dangling", "a/file-link", "a/folder-link", "out"])
def test_a_file_or_link_goes_alone(folder, name):
    remove_below(folder, PurePath(name))
    left = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert name not in left
    assert "a/deep/two" in left


@pytest.mark.parametrize("name", ["out/kept", "out/sub", "a/folder-link/sub/kept"])
def test_nothing_behind_a_link_is_touched(folder, name):
    with pytest.raises(NotADirectoryError):
        remove_below(folder, PurePath(name))
    with pytest.raises(NotADirectoryError):
        move_below(folder, PurePath(name), PurePath("moved"))
    with pytest.raises(NotADirectoryError):
        move_below(folder, PurePath("a/one"), PurePath("out/one"))


@pytest.mark.parametrize("name", ["../outside/kept", "/etc/hosts", ".", "a/../../outside"])
def test_what_is_not_below_is_refused(folder, name):
    with pytest.raises(ValueError, match="expected a path below"):
        remove_below(folder, PurePath(name))


def test_the_folder_itself_may_be_a_link(folder):
    link = folder.parent / "link"
    link.symlink_to(folder)
    move_below(link, PurePath("a/deep"), PurePath("trash/x/a/deep"))
    assert (folder / "trash/x/a/deep/two").read_text() == "inside/a/deep/two"


def test_nothing_is_moved_over_something(folder):
    with pytest.raises(FileExistsError, match="a/deep"):
        move_below(folder, PurePath("a/one"), PurePath("a/deep"))
    assert (folder / "a/one").exists()
