"""What is cleaned away is kept, and comes back."""

import pytest

from zentfx.errors import NotFoundError, StoreError
from zentfx.stores.trash import Trash, new_entry


@pytest.fixture
def trash(tmp_path):
    for name in ("runs/a/one", "runs/a/two", "runs/b/three"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return Trash(tmp_path)


def files(trash):
    paths = trash.root.rglob("*")
    return {str(path.relative_to(trash.root)) for path in paths if path.is_file()}


def test_what_was_removed_comes_back_where_it_was(trash):
    before = files(trash)
    entry = new_entry()
    trash.put(entry, trash.root / "runs/a")
    trash.put(entry, trash.root / "runs/b/three")
    assert all(name.startswith(f"trash/{entry}/runs/") for name in files(trash))
    assert [item.name for item in trash.entries()] == [entry]
    assert trash.restore(entry) == [trash.root / "runs/a", trash.root / "runs/b/three"]
    assert files(trash) == before
    assert trash.entries() == []


def test_what_is_there_again_is_not_replaced(trash):
    entry = new_entry()
    for name in ("runs/a/one", "runs/a/two"):
        trash.put(entry, trash.root / name)
    (trash.root / "runs/a/one").write_text("new")
    before = files(trash)
    with pytest.raises(StoreError, match="runs/a/one is there again"):
        trash.restore(entry)
    assert files(trash) == before
    assert (trash.root / "runs/a/one").read_text() == "new"
    assert (trash.root / "trash" / entry / "runs/a/one").read_text() == "runs/a/one"


def test_old_entries_go_for_good(trash):
    old, new = "20260101-120000-0123abcd", new_entry()
    trash.put(old, trash.root / "runs/a")
    trash.put(new, trash.root / "runs/b")
    (trash.root / "trash/of-others").mkdir()
    assert trash.empty(older_than=3600.0) == 1
    assert [item.name for item in trash.entries()] == [new]
    assert trash.empty() == 1
    assert [path.name for path in (trash.root / "trash").iterdir()] == ["of-others"]


def test_an_entry_that_is_not_there(trash):
    with pytest.raises(NotFoundError, match="no '20260101-120000-0123abcd' in the trash"):
        trash.restore("20260101-120000-0123abcd")
