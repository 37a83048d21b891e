"""Kills runs with `kill -9` at random moments, and checks what the next run makes of it.

Each round starts a run of a small pipeline that has to compute all its steps, waits until it comes
to a phase (driver, executor, publish, rename), lets it go on for a random moment, and kills it.
Then:

- the dead run reads `crashed`, and so does the step that it was at;
- every artifact in the store has all its files, whole;
- the next run completes, reuses what the dead one had published, and computes the rest;
- `zentfx doctor` cleans up, and finds nothing afterwards.

It stops when each phase was hit often enough: a hit counts for the phase that the process really
was in when it died.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from killed_pipeline import PHASES, build, content_of

from zentfx import Repository
from zentfx.leftovers import leftovers, remove
from zentfx.stores.manifests import missing_files

_HERE = Path(__file__).parent
# Upper bounds of the moment between coming to a phase and the kill: about what a phase takes.
_LONGEST = {"driver": 0.006, "executor": 0.06, "publish": 0.01, "rename": 0.0045}  # seconds


def killed_run(folder: Path, seed: int, phase: str, chance: random.Random) -> str | None:
    """Runs the pipeline and kills it.

    Args:
        folder: The repository's folder.
        seed: A parameter of all steps.
        phase: Where to kill it.
        chance: Where randomness comes from.

    Returns:
        The phase that it was in when it died; None if it was in none, or had ended.
    """
    ours, theirs = os.pipe()
    theirs_to_wait, go = os.pipe()
    # Imported, and not run as a script: then its classes would be those of another module.
    code = f"import sys; sys.path.insert(0, {str(_HERE)!r}); import killed_pipeline as k; "
    code += f"k.run_announced({str(folder)!r}, {seed}, {theirs}, {theirs_to_wait})"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        pass_fds=[theirs, theirs_to_wait],
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    os.close(theirs_to_wait)
    # Each phase is come to several times: once for each of four steps, or more.
    skip = chance.randrange(4)
    inside: list[str] = []
    with os.fdopen(ours) as announcements, os.fdopen(go, "wb", buffering=0) as answers:
        for line in announcements:
            what, name = line.split()
            if what == "end":
                inside.remove(name)
                continue
            inside.append(name)
            due = name == phase and skip == 0
            if name == phase:
                skip -= 1
            answers.write(b".")
            if due:
                time.sleep(chance.uniform(0, _LONGEST[phase]))
                process.send_signal(signal.SIGKILL)
                break
        for line in announcements:  # what it still wrote before it died
            what, name = line.split()
            inside.append(name) if what == "begin" else inside.remove(name)
    died = process.wait() == -signal.SIGKILL
    return inside[-1] if died and inside else None


def check(folder: Path, seed: int) -> None:
    """Checks what a killed run left, and that the next one makes good.

    Args:
        folder: The repository's folder.
        seed: The parameter of the killed run.
    """
    repository = Repository(folder)
    dead = repository.get_runs()[-1]
    begun = any(step.parameters.get("seed") == seed for step in dead.steps.values())
    published = set()
    if dead.status == "crashed":
        states = {name: step.status for name, step in dead.steps.items()}
        assert not {"running", "failed", "canceled"} & set(states.values()), states
        assert list(states.values()).count("crashed") <= 1, states
        published = {name for name, state in states.items() if state == "completed"}
    else:
        # Killed before the run was recorded, or after its end was.
        assert dead.status == "completed", dead
        published = set(dead.steps) if begun else set()
    for record in repository.workspace.reader.all_artifacts():
        manifest = repository.workspace.artifacts.read_text(
            "manifests", f"{record.properties['zentfx_manifest']}.json"
        )
        assert manifest is not None, record
        assert not missing_files(Path(record.uri), manifest), record
    again = build(repository, seed).run(progress=None)
    assert again.status == "completed"
    for name, step in again.steps.items():
        assert step.status == ("cached" if name in published else "completed"), (name, published)
        assert content_of(step) == f"{name} {seed} whole", content_of(step)
    remove(repository.workspace, leftovers(repository.workspace))
    assert leftovers(repository.workspace) == []
    assert repository.workspace.reader.run(dead.id).status == dead.status


def main() -> None:
    """Kills until each phase was hit often enough; prints how often."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--per-phase", type=int, default=5)
    parser.add_argument("--rounds", type=int, help="stop after so many, whatever was hit")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    args = parser.parse_args()
    chance = random.Random(args.seed)
    print(f"seed {args.seed}", flush=True)
    hits: Counter[str] = Counter()
    rounds = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        build(Repository(folder), -1).run(progress=None)
        while min(hits[phase] for phase in PHASES) < args.per_phase:
            phase = min(PHASES, key=lambda name: hits[name])
            hit = killed_run(folder, rounds, phase, chance)
            check(folder, rounds)
            hits[hit or "elsewhere"] += 1
            rounds += 1
            if rounds == args.rounds:
                break
    print(json.dumps({"rounds": rounds, **hits}))


if __name__ == "__main__":
    main()
