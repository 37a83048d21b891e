"""Marks of living processes."""

import subprocess
import sys

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
    with held(mark):
        assert is_held(mark)
        with claimed(mark) as free:
            assert not free
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
    with claimed(mark) as free:
        assert free
        assert is_held(mark)  # only one may take it over
