"""The command line as a process: what it imports, its exit codes, its output's other end."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import click
import pytest

from tests.cli.calls import RED, called
from zentfx import Repository
from zentfx.cli import cli
from zentfx.cli.lazy import LazyGroup

ROOT = Path(__file__).parents[2]
HEAVY = {"apache_beam", "keras", "ml_metadata", "pandas", "tensorflow", "tfx"}

SCRIPT = """
import time
from pathlib import Path
from zentfx import BaseStep

class Write(BaseStep):
    outputs = {"text": "Text"}
    def __init__(self, nap: float = 0.0, fails: bool = False):
        self.nap = nap
        self.fails = fails
    def process(self, inputs, outputs):
        Path("started").touch()
        time.sleep(self.nap)
        if self.fails:
            raise ValueError("asked to fail")
"""


def start(*arguments, folder=None, **options):
    environment = {name: value for name, value in os.environ.items() if "ZENTFX" not in name}
    environment["PYTHONPATH"] = str(ROOT)  # the steps of filled's pipelines are in tests/
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, *(options.pop("python", ())), "-m", "zentfx", *map(str, arguments)],
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment | options.pop("environment", {}),
        **options,
    )


def run(*arguments, **options):
    process = start(*arguments, **options)
    out, error = process.communicate(timeout=120)
    return process.returncode, (out or b"").decode(), error.decode()


def pipeline_file(folder, **arguments):
    (folder / "steps_of_test.py").write_text(SCRIPT, encoding="utf-8")
    step = {"source": "steps_of_test.Write", "args": arguments}
    file = folder / "a.yaml"
    file.write_text(json.dumps({"zentfx": 1, "name": "A", "steps": {"write": step}}))
    return file


def commands(group=cli, path=()):
    """All commands, groups included, with the words that call them."""
    yield path, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            yield from commands(group.get_command(context, name), (*path, name))


class TestHelp:
    def test_all_commands_are_listed_without_importing_them(self):
        code, out, error = run("--help", python=["-X", "importtime"])
        assert code == 0
        imported = set(re.findall(r"\| +([\w.]+)$", error, re.MULTILINE))
        assert {name for name in imported if name.startswith("zentfx.")} == {
            "zentfx.__main__",
            "zentfx._version",
            "zentfx.cli",
            "zentfx.cli.lazy",
            "zentfx.cli.output",
            "zentfx.errors",
            "zentfx.light_imports",
        } - {"zentfx.__main__"}
        assert "rich" not in imported
        for name in cli.list_commands(click.Context(cli)):
            assert re.search(rf"^  {name} ", out, re.MULTILINE)

    def test_what_the_list_says_of_a_command_is_what_it_says_of_itself(self):
        for name, place in cli._places.items():
            assert isinstance(cli, LazyGroup)
            command = cli.get_command(click.Context(cli), name)
            assert command.get_short_help_str(limit=200) == place.help, name

    def test_every_command_has_an_example_that_it_understands(self):
        for path, command in commands():
            if isinstance(command, click.Group):
                continue
            examples = re.findall(r"Example: (.*)", command.help)
            assert examples, path
            for example in examples:
                words = re.findall(r'"[^"]*"|\S+', example)
                assert tuple(words[1 : len(path) + 1]) == path
                rest = [word.strip('"') for word in words[len(path) + 1 :]]
                command.make_context(path[-1], rest)

    def test_every_command_is_in_the_guide_and_the_guide_calls_none_that_there_is_not(self):
        page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
        for path, command in commands():
            assert not path or f"zentfx {' '.join(path)}" in page, path
            for parameter in command.params:
                if isinstance(parameter, click.Option) and parameter.name != "help":
                    assert any(name in page for name in parameter.opts), (path, parameter.name)
        examples = [
            line
            for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
            for line in block.splitlines()
            if line.startswith("zentfx ")
        ]
        assert len(examples) > 20
        for example in examples:
            line = example.partition("#")[0].partition("|")[0].partition(">")[0]
            words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)][1:]
            command = cli
            while isinstance(command, click.Group):
                command = command.get_command(click.Context(command), words.pop(0))
            command.make_context(command.name, words)

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["rnus"], "Did you mean 'run' or 'runs'|Did you mean 'runs'"),
            (["artifact", "lst"], "Did you mean 'list'"),
        ],
    )
    def test_a_name_that_misses_is_told_what_is_near(self, words, message):
        code, _, error = run(*words)
        assert code == 2
        assert re.search(message, error)


class TestImports:
    @pytest.mark.parametrize(
        "command",
        [
            ["runs"],
            ["runs", "--json"],
            ["compare"],
            ["compare", "--json"],
            ["pipeline", "list"],
            ["artifact", "list"],
            ["artifact", "describe", "Pipeline A::trainer::model"],
            ["artifact", "compare", "Pipeline A::trainer::model", "Pipeline A::trainer::model"],
            ["lineage", "Pipeline A::trainer::model"],
            ["logs"],
            ["doctor"],
        ],
    )
    def test_reading_imports_nothing_heavy(self, filled, command):
        code, _, error = run(*command, *filled.at, python=["-X", "importtime"])
        assert code == 0
        imported = {
            name.partition(".")[0] for name in re.findall(r"\| +([\w.]+)$", error, re.MULTILINE)
        }
        assert "zentfx" in imported
        assert imported & HEAVY == set()


class TestExitCodes:
    def test_an_error_is_one_message(self, filled):
        code, out, error = run("artifact", "describe", "99", *filled.at)
        assert (code, out, error) == (1, "", "error: There is no artifact with the id 99.\n")

    def test_nor_is_one_of_the_system_a_traceback(self, filled, tmp_path):
        page = tmp_path / "nowhere" / "compare.html"
        code, out, error = run("compare", "--html", page, *filled.at)
        assert (code, out) == (1, "")
        assert re.fullmatch(r"error: .*nowhere.*\n", error)

    def test_wrong_usage(self, filled):
        code, out, error = run("runs", "--newst", "1", *filled.at)
        assert (code, out) == (2, "")
        assert "No such option: --newst" in error

    def test_none_found_is_well(self, filled):
        assert run("runs", "--status", "crashed", *filled.at)[:2] == (0, "")
        assert run("runs", "--status", "crashed", "--json", *filled.at)[:2] == (0, "[]\n")

    def test_a_failed_step(self, tmp_path):
        code, out, error = run("run", pipeline_file(tmp_path, fails=True), folder=tmp_path)
        [failed] = Repository(tmp_path).get_runs()
        assert code == 1
        assert out.startswith(f"Run {failed.id}: failed in ")
        assert "error: The step 'write' (Write) of 'A' failed:" in error
        assert "steps_of_test.py" in error
        assert "Traceback" not in error

    def test_what_users_modules_print_is_kept_from_json(self, tmp_path):
        file = pipeline_file(tmp_path)
        with (tmp_path / "steps_of_test.py").open("a", encoding="utf-8") as module:
            module.write("print('imported')\n")
        code, out, error = run("run", file, "--json", folder=tmp_path)
        assert code == 0
        assert json.loads(out)["status"] == "completed"
        assert "imported" in error
        assert run("run", file, folder=tmp_path)[1].startswith("imported\nRun ")

    def test_a_warning_is_one_line(self, tmp_path):
        file = pipeline_file(tmp_path)
        steps = tmp_path / "steps_of_test.py"
        edit = f"Path({str(steps)!r}).write_text({SCRIPT + 'x = 1'!r})"
        steps.write_text(f"{SCRIPT}\n{edit}\n", encoding="utf-8")
        code, _, error = run("run", file, folder=tmp_path)
        assert code == 0, error
        assert [line for line in error.splitlines() if line.startswith("warning: Step 'write'")]
        assert "warnings.warn" not in error

    @pytest.mark.parametrize("options", [[], ["--in-process", "--json"]])
    def test_ctrl_c(self, tmp_path, options):
        file = pipeline_file(tmp_path, nap=100.0)
        process = start("run", file, *options, folder=tmp_path, start_new_session=True)
        deadline = time.monotonic() + 60
        while not (tmp_path / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, b"")
        assert b"error: interrupted" in error
        assert b"Traceback" not in error
        [canceled] = Repository(tmp_path).get_runs()
        assert canceled.status == "canceled"


class TestOutput:
    def test_nobody_reads_it_any_more(self, filled):
        # Buffered, as it is by default: then it is a flush that fails.
        for command in (["runs"], ["compare", "--json"], ["artifact", "list"], ["logs"]):
            read, write = os.pipe()
            os.close(read)
            environment = {"PYTHONUNBUFFERED": ""}
            code, _, error = run(*command, *filled.at, stdout=write, environment=environment)
            os.close(write)
            assert (code, error) == (141, ""), command

    def test_a_pipe_to_head(self, filled):
        command = f"{sys.executable} -m zentfx runs {' '.join(filled.at)} | head -n 1"
        done = subprocess.run(
            command, shell=True, capture_output=True, text=True, cwd=ROOT, check=True
        )
        assert done.stdout.startswith("id ")
        assert done.stderr == ""

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
    def test_a_disk_that_is_full(self, filled):
        with Path("/dev/full").open("wb") as full:
            code, _, error = run("runs", *filled.at, stdout=full)
        assert code == 1
        assert re.fullmatch(r"error: .*No space left on device\n", error)

    def test_an_output_that_knows_few_characters(self, filled):
        code, out, _ = run("compare", *filled.at, environment={"PYTHONIOENCODING": "latin-1"})
        assert code == 0
        assert r"0.0333333 \u2605" in out

    @pytest.mark.parametrize("width", [20, 80, 300])
    def test_on_a_terminal_tables_are_as_wide_as_it_and_ids_are_whole(self, filled, width):
        out = on_terminal(width, "runs", *filled.at)
        lines = [line for line in out.splitlines() if "│" in line or "━" in line]
        assert max(map(len, lines)) <= max(width, 44)
        for item in (filled.first, filled.second, filled.failed):
            assert item.id in out
        assert (RED in out) == (width > 20)  # folded, if need be
        assert (len(re.findall("┏", out)) == 1) == (width == 300)
        assert "[bold]" in out

    def test_colours_are_for_terminals_that_want_them(self, filled):
        assert "\x1b[32mcompleted" in on_terminal(100, "runs", *filled.at, plain=False)
        out = on_terminal(100, "runs", *filled.at, plain=False, environment={"NO_COLOR": "1"})
        assert "\x1b[32m" not in out
        assert "\x1b" not in called("runs", *filled.at)


def on_terminal(width, *arguments, plain=True, environment=None):
    """What a command shows on a terminal; plain without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environment = {"TERM": "xterm-256color", "COLUMNS": "", **(environment or {})}
    process = start(*arguments, stdout=theirs, environment=environment)
    os.close(theirs)
    chunks = []
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # so Linux says that the other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(ours)
    assert process.wait(60) == 0, process.stderr.read()
    process.stderr.close()
    text = b"".join(chunks).decode().replace("\r\n", "\n")
    return re.sub(r"\x1b\[[0-9;]*m", "", text) if plain else text


def test_logs_and_doctor_as_json(filled, tmp_path):
    shutil.copytree(filled.repository.path / ".zentfx", tmp_path / ".zentfx")
    at = ["--repository", tmp_path]
    logs = json.loads(called("logs", "--json", "--run", filled.failed.id, *at))
    assert (logs["run"], logs["pipeline"], logs["status"]) == (filled.failed.id, RED, "failed")
    assert logs["bytes"].keys() == {"write", "trainer"}
    assert run("logs", "trainer", "--json", *at)[0] == 2
    file = tmp_path / ".zentfx" / "metadata.db"
    assert "asked to fail" in called("logs", "trainer", "--metadata", file)
    assert json.loads(called("doctor", "--json", *at)) == []
    lost = tmp_path / ".zentfx" / "logs" / "never" / "a.log"
    lost.parent.mkdir()
    lost.write_text("12345")
    code, out, _ = run("doctor", "--json", *at)
    [found] = json.loads(out)
    assert (code, found["size"], found["removable"]) == (1, 5, True)
    assert found["path"] == str(lost.parent)
    assert "leftovers" in run("doctor", *at)[1]
    code, out, _ = run("doctor", "--clean", "--json", *at)
    assert (code, json.loads(out)) == (0, [found])
    assert not lost.exists()
