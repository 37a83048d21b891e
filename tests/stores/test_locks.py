"""Marks of living processes."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from zentfx.stores.locks import claimed, held, is_held

HOLD = """
import sys, time
from pathlib import Path
from zentfx.stores.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_mark_is_there_while_it_is_held(tmp_path):
    mark = tmp_path / "deep" / "mark"
    assert not is_held(mark)
    with held(mark) as holding:
        assert is_held(mark)
        with claimed(mark) as free:
            assert not free
        holding.settled = True
    assert not mark.exists()
    assert not is_held(mark)


def test_a_mark_of_a_process_that_was_killed_is_free(tmp_path):
    mark = tmp_path / "mark"
    process = subprocess.Popen([sys.executable, "-c", HOLD, mark], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    assert is_held(mark)
    process.kill()
    process.communicate()
    assert mark.exists()
    assert not is_held(mark)
    with claimed(mark) as free, claimed(mark) as free_again:
        assert free
        assert not free_again  # only one may take it over


def test_a_mark_that_is_not_settled_stays_and_is_free(tmp_path):
    mark = tmp_path / "mark"
    with held(mark):
        pass
    assert mark.exists()
    assert not is_held(mark)


def test_many_may_look_at_once(tmp_path):
    mark = tmp_path / "mark"
    mark.touch()
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(is_held, [mark] * 500))


def test_a_mark_that_another_takes_for_dead_while_it_is_made_is_made_again(tmp_path):
    def make(index):
        with held(tmp_path / str(index)) as mark:
            alive = is_held(tmp_path / str(index))
            mark.settled = True
        return alive

    def clear(_):
        for path in tmp_path.iterdir():
            with claimed(path) as dead:
                if dead:
                    path.unlink(missing_ok=True)

    with ThreadPoolExecutor(8) as pool:
        clearing = [pool.submit(clear, None) for _ in range(300)]
        made = [pool.submit(make, index) for index in range(300)]
        assert all(item.result() for item in made)
        [item.result() for item in clearing]


def test_a_child_that_outlives_its_parent_does_not_hold_its_mark(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path\n"
        "from zentfx.stores.locks import held\n"
        "with held(Path(sys.argv[1])):\n"
        "    if os.fork() == 0:\n"
        "        print(os.getpid(), flush=True); time.sleep(60); os._exit(0)\n"
        "    time.sleep(60)\n"
    )
    mark = tmp_path / "mark"
    process = subprocess.Popen([sys.executable, "-c", code, mark], stdout=subprocess.PIPE)
    child = int(process.stdout.readline())
    try:
        assert is_held(mark)
        process.kill()
        process.wait()
        assert not is_held(mark)
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()
