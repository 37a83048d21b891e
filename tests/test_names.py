"""Names that nobody could keep are refused before a run is recorded; the longest ones work."""

from typing import Annotated

import pytest

from zentfx import (
    ArtifactConfig,
    BaseStep,
    Pipeline,
    RandomSplit,
    Repository,
    log_metric,
    pipeline,
    register_artifact,
    step,
)
from zentfx.errors import ParameterError, StepDefinitionError, StepFailedError, ZenTFXError
from zentfx.names import check_length, length
from zentfx.source_code.identity import code_of
from zentfx.steps.split import SplitStep


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path)


@step
def one() -> int:
    return 1


def running(made, **options):
    @pipeline(progress=None, **options)
    def running_it():
        made()

    return running_it()


def returning(annotation):
    def f():
        return 1

    f.__annotations__["return"] = annotation
    return step(f)


def of_class(**attributes):
    cls = type("Made", (BaseStep,), {"__module__": __name__, **attributes})
    made = Pipeline("classes")
    made.add_step(cls(), "made")
    return made.run(progress=None)


def with_parameter(name):
    space = {"__name__": __name__}
    exec(f"def f(self, {name}=1): pass", space)
    return space["f"]


class Splits(SplitStep):
    """A split of the user's own."""

    def __init__(self, name: str):
        self.name = name

    @property
    def split_names(self):
        return [self.name]

    def assign(self, record):
        return 0


TOO_LONG = {
    "a pipeline's name": lambda: running(one, name="p" * 64),
    "a pipeline's name in bytes": lambda: running(one, name="𝒫" * 62),
    "a step's name": lambda: running(one.with_options(name="s" * 252)),
    "a step's name in bytes": lambda: running(one.with_options(name="ä" * 126)),
    "both together": lambda: running(one.with_options(name="s" * 200), name="p" * 60),
    "an output's name": lambda: running(returning(Annotated[int, "n" * 250])),
    "with the date": lambda: running(returning(Annotated[int, "n" * 238 + "{date}"])),
    "with its version": lambda: running(
        returning(Annotated[int, ArtifactConfig(name="n" * 200, version="v" * 60)])
    ),
    "with a substitution": lambda: running(
        returning(Annotated[int, "{kind}"]).with_options(substitutions={"kind": "k" * 250})
    ),
    "a version": lambda: ArtifactConfig(name="n", version="v" * 254),
    "a tag": lambda: ArtifactConfig(name="n", tags=["t" * 256]),
    "of a registered file": lambda: register_artifact("file", "n" * 250),
    "an output of a class": lambda: of_class(outputs={"o" * 256: "Type"}),
    "a type": lambda: of_class(outputs={"o": "T" * 256}),
    "a class": lambda: of_class(__qualname__="C" * 256),
    "a parameter": lambda: of_class(__init__=with_parameter("p" * 256)),
    "of a function": lambda: step(with_parameter("p" * 256)),
    "a split": lambda: RandomSplit({"s" * 250: 1.0}),
    "one of the user's own": lambda: Splits("s" * 250),
    "an experiment": lambda: Repository().experiment("e" * 256).__enter__(),
    "a metric": lambda: log_metric("m" * 251, 1.0),
}


@pytest.mark.parametrize("case", TOO_LONG)
def test_a_name_that_is_too_long_is_refused_before_anything_is_recorded(case, repository):
    (repository.path / "file").write_text("text")
    with pytest.raises(ZenTFXError, match="at most"):
        TOO_LONG[case]()
    assert list(repository.get_runs()) == []


def test_the_longest_names_work(repository):
    artifact = "n" * 244
    made = returning(Annotated[int, artifact]).with_options(name="s" * 251)
    with repository.experiment("e" * 255):
        run = running(made, name="p")
    assert run.steps["s" * 251].outputs[artifact].load() == 1
    assert repository.get_artifact_version(artifact).version == "1"
    assert "completed" in run.steps["s" * 251].status
    assert of_class(outputs={"o" * 255: "T" * 255}, process=lambda *_: None).status == "completed"


@pytest.mark.parametrize("name", ["", " ", "a/b", "a.b", "a\\b", "a\n"])
def test_outputs_of_classes_have_names_that_folders_and_wiring_take(name):
    with pytest.raises(StepDefinitionError, match="names in outputs have printable characters"):
        type("Made", (BaseStep,), {"outputs": {name: "Type"}})


def test_metadata_of_outputs_has_names_that_are_kept(repository):
    def process(self, inputs, outputs):
        outputs["o"].metadata["k" * 256] = 1

    with pytest.raises(StepFailedError, match="metadata of an output must have at most 255"):
        of_class(outputs={"o": "Type"}, process=process)


def test_bytes_count_and_not_characters():
    assert length("ä\ud800") == 5
    check_length("ä" * 127, "It")
    with pytest.raises(ParameterError, match=r"It must have at most 255 bytes.*'ää.*…' has 256"):
        check_length("ä" * 128, "It")


def test_what_exec_makes_outside_of_a_module_is_refused():
    space = {"BaseStep": BaseStep}
    exec("def f() -> int:\n    return 1\nclass Made(BaseStep):\n    pass", space)
    with pytest.raises(StepDefinitionError, match="belongs to no module"):
        step(space["f"])
    with pytest.raises(StepDefinitionError, match="source of Made cannot be found"):
        code_of(space["Made"])
