"""Makes the README picture of a comparison, from real runs.

    ./dev python docs/pictures/comparison.py

Runs the demo's pipeline and three copies with other trainers in a temporary repository, saves the
comparison as a page, and takes a picture of it with Chromium. Takes about two minutes.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from zentfx import Repository, TrainerStep
from zentfx.cli.demo import build_pipeline, taxi_data

TARGET = Path(__file__).with_suffix(".png")
TRAINERS = {
    "Pipeline B": {"lr": 0.02, "hidden_layers": [16]},
    "Pipeline C": {"lr": 0.005, "hidden_layers": [32, 16]},
    "Pipeline D": {"lr": 0.01, "hidden_layers": [16], "dropout_chance": 0.0},
}


def main() -> None:
    """Runs the pipelines and takes the picture."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("The picture is taken with Chromium, which is not on the PATH.")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        build_pipeline(taxi_data(folder), folder).run()
        repository = Repository(folder)
        for name, arguments in TRAINERS.items():
            pipeline = repository.get_pipeline_by_name("Pipeline A").copy(name)
            trainer = TrainerStep(epochs=1, last_activation="linear", **arguments)
            pipeline.add_step(trainer, "trainer")
            pipeline.run()
        page = repository.compare_training_runs().save(folder / "compare.html")
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--force-device-scale-factor=1.25",
            "--window-size=1880,345",
            "--hide-scrollbars",
            f"--screenshot={TARGET}",
            page.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True)
    print(TARGET)


if __name__ == "__main__":
    main()
