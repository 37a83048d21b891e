"""Manifests of artifacts' files."""

from zentfx.stores.manifests import manifest_name, manifest_of, missing_files


def test_files_that_are_gone_or_have_another_size_are_named(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/ä b.txt").write_text("1234")
    (tmp_path / "empty").touch()
    manifest = manifest_of(tmp_path)
    assert missing_files(tmp_path, manifest) == []
    (tmp_path / "later").touch()
    assert missing_files(tmp_path, manifest) == []
    (tmp_path / "deep/ä b.txt").write_text("123")
    (tmp_path / "empty").unlink()
    assert missing_files(tmp_path, manifest) == ["deep/ä b.txt", "empty"]
    assert missing_files(tmp_path / "gone", manifest) == ["deep/ä b.txt", "empty"]


def test_an_artifact_may_be_a_file(tmp_path):
    file = tmp_path / "value"
    file.write_text("12")
    manifest = manifest_of(file)
    assert missing_files(file, manifest) == []
    file.write_text("1")
    assert missing_files(file, manifest) == ["."]


def test_a_folder_without_files_misses_none(tmp_path):
    assert missing_files(tmp_path / "gone", manifest_of(tmp_path / "gone")) == []


def test_its_name_depends_on_names_and_sizes_alone(tmp_path):
    for folder, text in (("a", "12"), ("b", "34"), ("c", "123")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text(text)
    names = [manifest_name(manifest_of(tmp_path / folder)) for folder in "abc"]
    assert names[0] == names[1] != names[2]
