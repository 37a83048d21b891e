"""A chain of plain steps, one after the other: what `step_costs.py` runs."""

import argparse
from pathlib import Path

from zentfx import BaseStep, Pipeline, Repository


class Link(BaseStep):
    """Writes a small file; does nothing else."""

    inputs = {"before": "Link"}
    optional_inputs = frozenset({"before"})
    outputs = {"after": "Link"}

    def __init__(self, number: int):
        self.number = number

    def process(self, inputs, outputs):
        """The file."""
        (outputs["after"].path / "number").write_text(str(self.number))


def build(folder: Path, steps: int) -> Pipeline:
    """The chain of so many steps."""
    pipeline = Pipeline(f"Chain of {steps}", repository=Repository(folder))
    for number in range(steps):
        inputs = {"before": f"link_{number - 1}.after"} if number else {}
        pipeline.add_step(Link(number), f"link_{number}", inputs)
    return pipeline


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("steps", type=int)
    parser.add_argument("--no-cache", action="store_true")
    args = parser.parse_args()
    build(args.folder, args.steps).run(enable_cache=False if args.no_cache else None, progress=None)


if __name__ == "__main__":
    main()
