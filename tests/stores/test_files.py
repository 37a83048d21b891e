"""Files that are there whole or not at all."""

import pytest

from zentfx.stores.files import write_whole


def test_a_file_is_replaced_and_nothing_else_stays(tmp_path):
    target = tmp_path / "a.txt"
    for text in ("one", "zwölf"):
        write_whole(target, text)
        assert target.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [target]


def test_what_cannot_be_written_leaves_the_earlier_file(tmp_path):
    target = tmp_path / "a.txt"
    write_whole(target, "one")
    with pytest.raises(UnicodeEncodeError):
        write_whole(target, "\udcff")
    assert target.read_text(encoding="utf-8") == "one"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no folder {tmp_path}/no"):
        write_whole(tmp_path / "no" / "a.txt", "x")
