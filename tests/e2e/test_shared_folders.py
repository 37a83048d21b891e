"""A repository in a folder that a group shares, used by two real users."""

import gc
import os
import stat
import sys
import traceback
import uuid

import pytest

from zentfx import Repository, pipeline, step

OWNER, READER, GROUP = 61001, 61002, 62000

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0,
    reason="only root, and on Linux, can be two other users",
)


@step
def number(value: int) -> int:
    return value


@pytest.fixture
def shared(tmp_path_factory):
    """A folder that belongs to a group, as ``mkdir -m 2775`` makes it."""
    folder = tmp_path_factory.mktemp("group") / "shared"
    for above in folder.parents[:3]:
        above.chmod(0o755)
    folder.mkdir()
    os.chown(folder, OWNER, GROUP)
    folder.chmod(0o2775)

    # In a child that is another user, nothing more can be imported from this one's environment.
    @pipeline(name="warm", progress=None, repository=Repository(tmp_path_factory.mktemp("warm")))
    def warm():
        number(1)

    begin(warm()._catalog.workspace.root)
    return folder


def begin(folder):
    """Records a run, with every kind of file that a run leaves beside its artifacts."""
    workspace = Repository(folder).workspace
    run_id = uuid.uuid4().hex
    with workspace.hold_run(run_id) as lock:
        workspace.memos.of("a memo", run_id, lambda: "text")
        workspace.artifacts.keep_text("pipelines", f"{run_id}.yaml", "text")
        scope = workspace.writer.cache_scope()
        context = workspace.writer.begin_run(run_id, "numbers", {})
        workspace.pairing.note(scope, context, run_id)
        (workspace.artifacts.run_folder(run_id) / "output").mkdir(parents=True)
        workspace.writer.end_run(run_id, "completed")
        lock.settled = True


def count(folder):
    return len(Repository(folder).get_runs())


def count_in_file(folder):
    return len(Repository(metadata=folder / ".zentfx/metadata.db").get_runs())


def as_user(user, umask, act, folder):
    """What an act gives another user, who has the group; or how it fails."""
    gc.collect()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            os.setgroups([GROUP])
            os.setgid(user)
            os.setuid(user)
            os.umask(umask)
            os.write(write, repr(act(folder)).encode())
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a child that goes on would run the tests again
            os.write(write, traceback.format_exc().encode())
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    status = os.waitpid(child, 0)[1]
    assert status == 0, text
    return text


@pytest.mark.parametrize("look", [count, count_in_file])
def test_a_group_writes_and_reads_in_turns(shared, look):
    for turn in range(2):
        as_user(OWNER, 0o002, begin, shared)
        assert as_user(READER, 0o002, look, shared) == str(2 * turn + 1)
        as_user(OWNER, 0o002, begin, shared)
        assert as_user(READER, 0o002, look, shared) == str(2 * turn + 2)
    as_user(READER, 0o002, begin, shared)
    as_user(OWNER, 0o002, begin, shared)
    assert as_user(OWNER, 0o002, look, shared) == "6"
    files = [path for path in shared.rglob("*") if not path.is_symlink()]
    assert len(files) > 10
    for path in files:
        found = path.stat()
        assert found.st_gid == GROUP
        wanted = stat.S_IRGRP | stat.S_IWGRP
        assert found.st_mode & wanted == wanted, f"{path}: {stat.filemode(found.st_mode)}"


@pytest.mark.parametrize("look", [count, count_in_file])
@pytest.mark.parametrize("folder_mode", [0o2755, 0o2775])
def test_who_may_only_read_leaves_nothing_that_stops_the_owner(shared, look, folder_mode):
    as_user(OWNER, 0o022, begin, shared)
    (shared / ".zentfx").chmod(folder_mode)
    # The owner's process has ended, and so has its write-ahead log.
    as_user(OWNER, 0o022, count, shared)
    before = sorted(shared.rglob("*"))
    assert as_user(READER, 0o022, look, shared) == "1"
    assert sorted(shared.rglob("*")) == before
    as_user(OWNER, 0o022, begin, shared)
    assert as_user(READER, 0o022, look, shared) == "2"
    as_user(OWNER, 0o022, begin, shared)
    assert as_user(OWNER, 0o022, look, shared) == "3"
