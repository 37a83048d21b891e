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


def test_a_lock_is_there_while_it_is_held(tmp_path):
    lock = tmp_path / "deep" / "lock"
    assert not is_held(lock)
    with held(lock) as holding:
        assert is_held(lock)
        with claimed(lock) as free:
            assert not free
        holding.settled = True
    assert not lock.exists()
    assert not is_held(lock)


def test_a_lock_of_a_process_that_was_killed_is_free(tmp_path):
    lock = tmp_path / "lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, lock], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    assert is_held(lock)
    process.kill()
    process.communicate()
    assert lock.exists()
    assert not is_held(lock)
    with claimed(lock) as free, claimed(lock) as free_again:
        assert free
        assert not free_again  # only one may take it over


def test_a_lock_that_is_not_settled_stays_and_is_free(tmp_path):
    lock = tmp_path / "lock"
    with held(lock):
        pass
    assert lock.exists()
    assert not is_held(lock)


def test_many_may_look_at_once(tmp_path):
    lock = tmp_path / "lock"
    lock.touch()
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(is_held, [lock] * 500))


def test_a_lock_that_another_takes_for_dead_while_it_is_made_is_made_again(tmp_path):
    def make(index):
        with held(tmp_path / str(index)) as lock:
            alive = is_held(tmp_path / str(index))
            lock.settled = True
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
    lock = tmp_path / "lock"
    process = subprocess.Popen([sys.executable, "-c", code, lock], stdout=subprocess.PIPE)
    child = int(process.stdout.readline())
    try:
        assert is_held(lock)
        process.kill()
        process.wait()
        assert not is_held(lock)
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()
