"""Heavy packages stay behind `tfx_backend`, and light work loads none of them.

The other rules about who imports whom are import-linter's contracts, in pyproject.toml.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import zentfx
from zentfx import TrainingPipeline

PACKAGE = Path(zentfx.__file__).parent
HEAVY = {
    "apache_beam",
    "keras",
    "tensorflow",
    "tensorflow_data_validation",
    "tensorflow_model_analysis",
    "tensorflow_transform",
    "tf_keras",
    "tfx",
    "tfx_bsl",
}
MODULES = sorted(
    file.relative_to(PACKAGE).as_posix()
    for file in PACKAGE.rglob("*.py")
    if "tfx_backend" not in file.relative_to(PACKAGE).parts
)


def module_level(body):
    """Statements that run when a module is imported; what is for type checkers alone does not."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from module_level(node.orelse)
            continue
        yield node
        for name in ("body", "orelse", "finalbody"):
            yield from module_level(getattr(node, name, []))
        for handler in getattr(node, "handlers", []):
            yield from module_level(handler.body)


def heavy_imports(text):
    found = set()
    for node in module_level(ast.parse(text).body):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found & HEAVY


@pytest.mark.parametrize("module", MODULES)
def test_no_module_outside_the_backend_imports_anything_heavy_at_module_level(module):
    assert heavy_imports((PACKAGE / module).read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "text",
    [
        "import tensorflow as tf",
        "from tfx import v1",
        "try:\n    import keras\nexcept ImportError:\n    keras = None",
        "class A:\n    import apache_beam.io",
        "if True:\n    pass\nelse:\n    import tfx_bsl",
        "with x:\n    from tensorflow_transform import y",
        "try:\n    pass\nfinally:\n    import tfx",
        "try:\n    pass\nexcept E:\n    import tfx",
    ],
)
def test_the_search_finds_heavy_imports_wherever_they_run_on_import(text):
    assert len(heavy_imports(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import tensorflow",
        "class A:\n    def f(self):\n        import tensorflow",
        "if TYPE_CHECKING:\n    import tensorflow",
        "import tensorflow_metadata, tfxx",
        "from . import tfx",
    ],
)
def test_the_search_lets_other_imports_pass(text):
    assert heavy_imports(text) == set()


LIGHT_WORK = """
import sys
from pathlib import Path

before = set(sys.modules)
from zentfx import *

repository = Repository(".")
pipeline = TrainingPipeline("A", repository=repository)
pipeline.add_datasource(CSVDatasource(name="rows", path="rows.csv"))
pipeline.add_statistics(StatisticsStep(sample_rate=0.5))
pipeline.add_schema(SchemaStep())
pipeline.add_validation(ValidationStep())
pipeline.add_split(RandomSplit(split_map={"train": 0.7, "eval": 0.3}))
pipeline.add_preprocessor(StandardPreprocessor(features=["x"], labels=["y"]))
pipeline.add_trainer(TrainerStep())
pipeline.add_evaluator(TFMAEvaluator(metrics={"y": ["mse"]}, thresholds={"mse": {"upper": 1.0}}))
pipeline.add_pusher(Pusher(folder="serving"))
pipeline.validate()
Pipeline.from_yaml(pipeline.to_yaml()).copy("B").validate()
assert repository.get_runs() == []

from zentfx.orchestrators import RunRequest
from zentfx.tfx_backend.compile import compile_pipeline

workspace = repository.workspace
ir = compile_pipeline(
    RunRequest(
        run_id="run",
        pipeline="A",
        nodes=pipeline._nodes(None),
        cache_scope="scope",
        metadata=workspace.metadata,
        artifacts=workspace.artifacts,
        logs=workspace.logs,
        root=workspace.root,
    )
)
print([item.pipeline_node.node_info.id for item in ir.nodes])
print(sorted(set(sys.modules) - before))
"""


def test_building_checking_copying_and_compiling_a_pipeline_loads_nothing_heavy(tmp_path):
    (tmp_path / "rows.csv").write_text("x,y\n1,2\n3,4\n")
    done = subprocess.run(
        [sys.executable, "-c", LIGHT_WORK],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PACKAGE.parent)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names, modules = map(ast.literal_eval, done.stdout.splitlines())
    assert set(names) == set(TrainingPipeline.implied_inputs)
    top = {name.partition(".")[0] for name in modules}
    assert "tfx" in top  # its orchestration half
    assert top & (HEAVY - {"tfx"}) == set()
    assert [name for name in modules if name.startswith("tfx.components")] == []
