"""Where a repository is found and made, and what its config may hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import zentfx
from zentfx import Repository
from zentfx.errors import ConfigError, StoreError
from zentfx.workspace import Workspace


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The working directory is a folder without a repository above it."""
    monkeypatch.delenv("ZENTFX_REPOSITORY", raising=False)
    (tmp_path / "work/deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work/deep")


class TestFinding:
    def test_without_any_one_is_made_in_the_working_directory(self, tmp_path, capfd):
        workspace = Workspace.find()
        assert workspace.root == tmp_path / "work/deep"
        assert (tmp_path / "work/deep/.zentfx/config.yaml").is_file()
        assert capfd.readouterr().err == f"zentfx: made a repository at {workspace.root}\n"

    def test_the_nearest_one_upwards_is_opened(self, tmp_path, capfd):
        Workspace.find(tmp_path)
        Workspace.find(tmp_path / "work")
        capfd.readouterr()
        assert Workspace.find().root == tmp_path / "work"
        assert capfd.readouterr().err == ""
        assert not (tmp_path / "work/deep/.zentfx").exists()

    def test_a_folder_of_the_name_without_a_config_is_no_repository(self, tmp_path):
        (tmp_path / "work/.zentfx").mkdir()
        Workspace.find(tmp_path)
        assert Workspace.find().root == tmp_path

    def test_the_environment_variable_comes_before_the_nearest(self, tmp_path, monkeypatch):
        Workspace.find(tmp_path / "work")
        monkeypatch.setenv("ZENTFX_REPOSITORY", str(tmp_path / "other"))
        assert Workspace.find().root == tmp_path / "other"

    def test_an_empty_environment_variable_does_not_count(self, tmp_path, monkeypatch):
        monkeypatch.setenv("ZENTFX_REPOSITORY", "")
        Workspace.find(tmp_path)
        assert Workspace.find().root == tmp_path

    def test_a_path_comes_before_everything(self, tmp_path, monkeypatch):
        monkeypatch.setenv("ZENTFX_REPOSITORY", str(tmp_path / "other"))
        assert Workspace.find(tmp_path / "named").root == tmp_path / "named"
        assert not (tmp_path / "other").exists()

    def test_a_relative_path_starts_from_the_working_directory(self, tmp_path, monkeypatch):
        workspace = Workspace.find("sub")
        monkeypatch.chdir(tmp_path)
        assert workspace.root == tmp_path / "work/deep/sub"
        assert Path(workspace.artifacts.path).is_absolute()
        assert workspace.metadata.path.is_absolute()

    def test_a_path_with_dots_is_the_place_that_it_leads_to(self, tmp_path, monkeypatch):
        assert Workspace.find("../sub/./x").root == tmp_path / "work/sub/x"
        monkeypatch.setenv("ZENTFX_REPOSITORY", "../other")
        assert Workspace.find().root == tmp_path / "work/other"

    def test_a_path_in_the_home_folder_is_found(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert Workspace.find("~/repo").root == tmp_path / "home/repo"

    def test_without_leave_to_make_one_there_is_an_error_and_no_folder(self, tmp_path):
        with pytest.raises(StoreError, match=f"no repository at {tmp_path}/work/deep"):
            Workspace.find(create=False)
        assert list((tmp_path / "work/deep").iterdir()) == []
        made = Workspace.find()
        assert Workspace.find(create=False).root == made.root

    def test_a_repository_keeps_itself_out_of_version_control(self):
        assert (Workspace.find().folder / ".gitignore").read_text() == "*\n"

    def test_opening_does_not_touch_the_config(self):
        config = Workspace.find().folder / "config.yaml"
        config.write_text("zentfx: 1  # mine\n")
        Workspace.find()
        assert config.read_text() == "zentfx: 1  # mine\n"

    def test_processes_that_make_one_repository_at_once_share_it(self, tmp_path):
        code = "from zentfx import Repository; print(Repository().workspace.writer.cache_scope())"
        running = [
            subprocess.Popen(
                [sys.executable, "-c", code],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={"PYTHONPATH": str(Path(zentfx.__file__).parents[1])},
            )
            for _ in range(3)
        ]
        outputs = [process.communicate() for process in running]
        assert [process.returncode for process in running] == [0] * 3, outputs
        assert len({output for output, _ in outputs}) == 1
        kept = {item.name for item in (Path.cwd() / ".zentfx").iterdir()}
        assert {".gitignore", "config.yaml", "metadata.db"} <= kept
        assert kept <= {
            ".gitignore",
            "config.yaml",
            "metadata.db",
            "metadata.db-shm",
            "metadata.db-wal",
        }


class TestUnusablePlaces:
    def test_a_file_in_the_way_is_an_error(self, tmp_path):
        (tmp_path / "file").write_text("x")
        for place in ("file", "file/below"):
            with pytest.raises(StoreError, match=f"No repository can be made at .*{place}"):
                Workspace.find(tmp_path / place)
        assert (tmp_path / "file").read_text() == "x"

    def test_a_file_in_the_place_of_the_folder_is_an_error(self, tmp_path):
        (tmp_path / ".zentfx").write_text("x")
        with pytest.raises(StoreError, match="No repository can be made"):
            Workspace.find(tmp_path)

    @pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a place where nobody may write")
    def test_a_place_where_nobody_may_write_is_an_error(self):
        with pytest.raises(StoreError, match="No repository can be made at /proc"):
            Workspace.find("/proc/zentfx-test")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_cannot_be_written_to_is_an_error(self, tmp_path):
        tmp_path.chmod(0o555)
        with pytest.raises(StoreError, match="No repository can be made"):
            Workspace.find(tmp_path)


class TestConfig:
    @staticmethod
    def open_with(text):
        workspace = Workspace.find()
        content = text if isinstance(text, bytes) else text.encode()
        (workspace.folder / "config.yaml").write_bytes(content)
        return Workspace.find()

    def test_a_new_repository_runs_locally(self):
        workspace = Workspace.find()
        assert (workspace.orchestrator, workspace.beam_args) == ("local", [])

    def test_settings_are_read(self):
        workspace = self.open_with(
            "zentfx: 1\norchestrator: other\nbeam_args: [--direct_num_workers=2, 3]\n"
        )
        assert workspace.orchestrator == "other"
        assert workspace.beam_args == ["--direct_num_workers=2", "3"]

    def test_settings_that_are_left_out_have_their_defaults(self):
        workspace = self.open_with("zentfx: 1\n")
        assert (workspace.orchestrator, workspace.beam_args) == ("local", [])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("zentfx: 1\norchestrtor: local\n", "no setting 'orchestrtor'.*'orchestrator'"),
            ("zentfx: 1\n5: local\n", "no setting 5"),
            ("zentfx: 1\norchestrator: 5\n", "orchestrator must be of type str; 5 came"),
            ("zentfx: 1\norchestrator: null\n", "orchestrator must be of type str; None came"),
            ("zentfx: 1\nbeam_args: --x\n", "beam_args must be of type list; '--x' came"),
            ("zentfx: '1'\n", "zentfx must be of type int; '1' came"),
            ("zentfx: true\n", "zentfx must be of type int; True came"),
            ("zentfx: 2\n", "format version 2; this zentfx reads version 1"),
            ("orchestrator: local\n", "format version None"),
            ("", "expected 'name: value' lines; None came"),
            ("- zentfx\n", "expected 'name: value' lines; .'zentfx'. came"),
            ("zentfx", "expected 'name: value' lines; 'zentfx' came"),
            ("zentfx: [1\n", "cannot be read"),
            ("zentfx:\t1\n\t", "cannot be read"),
            ("zentfx: 2020-13-45\n", "cannot be read"),
            ("zentfx: &a [*a, 1]\n", "zentfx must be of type int"),
            ("zentfx: !!python/object:os.system x\n", "cannot be read"),
            (b"\xff\xfe\x00", "cannot be read"),
            ("zentfx: \0\n", "cannot be read"),
            pytest.param("[" * 600, "cannot be read", id="too deep"),
        ],
    )
    def test_a_config_that_cannot_be_used_is_refused_by_its_file(self, text, message):
        with pytest.raises(ConfigError, match=rf"config.yaml.*{message}"):
            self.open_with(text)

    def test_a_repository_with_a_broken_config_is_not_opened(self):
        with pytest.raises(ConfigError):
            self.open_with("zentfx: [")
        with pytest.raises(ConfigError):
            Repository()
        assert not (Path.cwd() / ".zentfx/metadata.db").exists()


def test_a_number_of_workers_that_makes_no_sense_is_refused(tmp_path):
    Workspace.find(tmp_path)
    (tmp_path / ".zentfx/config.yaml").write_text("zentfx: 1\nmax_workers: 0\n")
    with pytest.raises(ConfigError, match="at least 1; 0 came"):
        Workspace.find(tmp_path)
