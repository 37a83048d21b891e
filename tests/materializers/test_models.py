"""Models that are saved and loaded."""

import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from zentfx import BaseStep, Pipeline, Repository, materializers, step
from zentfx.errors import DataError
from zentfx.materializers import values
from zentfx.materializers.models import _array
from zentfx.materializers.values import artifact_type_of

ROWS = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "artifact"
    place.mkdir()
    return place


def again(model, folder):
    """Saves and loads a model, by its class alone."""
    assert artifact_type_of(type(model)) == "Model"
    saved = values.save(model, None, folder)
    return values.load(folder, saved.materializer, saved.python_type), saved


class TestKeras:
    def test_a_compiled_model(self, folder):
        keras = pytest.importorskip("keras")
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
        model.compile("sgd", "mse", metrics=["mae"])
        model.fit(ROWS, np.ones((2, 2)), verbose=0)
        loaded, saved = again(model, folder)
        np.testing.assert_array_equal(loaded(ROWS), model(ROWS))
        assert saved.metadata == {"parameters": 8}
        assert [item.name for item in folder.iterdir()] == ["model.keras"]
        loaded.fit(ROWS, np.ones((2, 2)), verbose=0)  # with the state of its optimizer
        assert int(loaded.optimizer.iterations) == 2

    def test_parts_of_the_users_own_need_not_be_registered(self, folder):
        keras = pytest.importorskip("keras")

        class Twice(keras.layers.Layer):
            def call(self, values):
                return values * 2

        class Outer(keras.layers.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.inner = Twice()

            def call(self, values):
                return self.inner(values)

        def half(values):
            return values / 2

        def loss(truth, guess):
            return keras.ops.mean((truth - guess) ** 2)

        layers = [keras.layers.Input((3,)), Outer(), keras.layers.Dense(2, activation=half)]
        model = keras.Sequential(layers)
        model.compile("sgd", loss, metrics=[loss])
        model.fit(ROWS, np.ones((2, 2)), verbose=0)
        loaded, _ = again(model, folder)
        np.testing.assert_array_equal(loaded(ROWS), model(ROWS))
        loaded.fit(ROWS, np.ones((2, 2)), verbose=0)

    def test_parts_behind_layers_and_in_what_is_compiled(self, folder):
        keras = pytest.importorskip("keras")

        class Ones(keras.initializers.Initializer):
            def __call__(self, shape, dtype=None, **kwargs):
                return keras.ops.ones(shape)

        class Small(keras.regularizers.Regularizer):
            def __call__(self, weights):
                return 0.01 * keras.ops.sum(weights)

            def get_config(self):
                return {}

        class Steady(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step):
                return 0.1

            def get_config(self):
                return {}

        def error(truth, guess):
            return keras.ops.mean(truth - guess)

        def twice(values):
            return values * 2

        model = keras.Sequential(
            [
                keras.layers.Input((3,)),
                keras.layers.Lambda(twice),
                keras.layers.Dense(2, kernel_initializer=Ones(), kernel_regularizer=Small()),
            ]
        )
        model.compile(keras.optimizers.SGD(Steady()), "mse", metrics=[error])
        loaded, _ = again(model, folder)
        np.testing.assert_array_equal(loaded(ROWS), model(ROWS))
        loaded.fit(ROWS, np.ones((2, 2)), verbose=0)
        assert float(loaded.optimizer.learning_rate) == pytest.approx(0.1)

    def test_two_parts_of_one_name_are_refused(self, folder):
        keras = pytest.importorskip("keras")

        def block(add):
            class Block(keras.layers.Layer):
                def call(self, values):
                    return values + add

            return Block()

        model = keras.Sequential([keras.layers.Input((3,)), block(1), block(2)])
        with pytest.raises(DataError, match="Two parts of this Sequential are called 'Block'"):
            values.save(model, None, folder)
        assert not list(folder.iterdir())

    @pytest.mark.parametrize("where", ["layer", "activation"])
    def test_a_lambda_is_refused(self, folder, where):
        keras = pytest.importorskip("keras")
        double = lambda values: values * 2  # noqa: E731 - the subject
        layer = (
            keras.layers.Lambda(double)
            if where == "layer"
            else keras.layers.Dense(2, activation=double)
        )
        model = keras.Sequential([keras.layers.Input((3,)), layer])
        with pytest.raises(DataError, match="a function needs a name, which a lambda has not"):
            values.save(model, None, folder)

    def test_what_keras_could_not_load_is_not_saved(self, folder):
        keras = pytest.importorskip("keras")

        class Plain(keras.Model):
            def __init__(self, units=2):
                super().__init__()
                self.dense = keras.layers.Dense(units)

            def call(self, values):
                return self.dense(values)

        class Told(Plain):
            def get_config(self):
                return {"units": 2}

        model = Plain()
        model(ROWS)
        with pytest.raises(DataError, match=r"load this Plain again. .* needs get_config\(\)"):
            values.save(model, None, folder)
        assert not list(folder.iterdir())
        model = Told()
        model(ROWS)
        loaded, _ = again(model, folder)
        np.testing.assert_array_equal(loaded(ROWS), model(ROWS))

    @pytest.mark.slow
    def test_a_class_of_a_script_loads_in_another_process(self, tmp_path):
        pytest.importorskip("keras")
        script = tmp_path / "train.py"
        script.write_text(
            textwrap.dedent(
                """
                import keras
                import numpy as np
                from zentfx import pipeline, step

                FACTOR = 3.0

                class Thrice(keras.layers.Layer):
                    def call(self, values):
                        return values * FACTOR

                @step
                def model() -> keras.Model:
                    made = keras.Sequential([keras.layers.Input((3,)), Thrice()])
                    made.compile("sgd", "mse")
                    return made

                @step
                def use(model: keras.Model) -> list:
                    return np.asarray(model(np.ones((1, 3)))).tolist()

                @pipeline(progress=False, max_workers=2)
                def training():
                    use(model())

                print(training().steps["use"].outputs["output"].load())
                """
            )
        )
        look = (
            "from zentfx import Repository\n"
            "import numpy as np\n"
            "model = Repository().get_artifact_version('training::model::output').load()\n"
            "print(np.asarray(model(np.ones((1, 3)))).tolist())"
        )
        for command in ([script], ["-c", look]):
            done = subprocess.run(
                [sys.executable, *command],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.stdout == "[[3.0, 3.0, 3.0]]\n", done.stderr[-2000:]


def test_a_module_of_tensorflow(folder):
    tf = pytest.importorskip("tensorflow")

    class Scale(tf.Module):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def __call__(self, values):
            return values * self.factor

    loaded, _ = again(Scale(), folder)
    np.testing.assert_array_equal(loaded(ROWS), ROWS * 2)


def test_a_module_of_pytorch(folder):
    """Runs where somebody has installed it: it is no dependency, and for no version here small."""
    torch = pytest.importorskip("torch")

    class Scale(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = torch.nn.Parameter(torch.tensor(2.0))

        def forward(self, values):
            return values * self.factor

    loaded, _ = again(Scale(), folder)
    np.testing.assert_array_equal(loaded(torch.tensor(ROWS)).detach().numpy(), ROWS * 2)


@pytest.mark.parametrize("kind", ["Classifier", "Regressor", "Cluster"])
def test_what_annotations_call_models_of_scikit_learn(kind):
    base = pytest.importorskip("sklearn.base")
    assert artifact_type_of(getattr(base, f"{kind}Mixin")) == "Model"
    assert values.materializer_for(getattr(base, f"{kind}Mixin")) is None


def test_an_estimator_of_scikit_learn(folder):
    linear = pytest.importorskip("sklearn.linear_model")
    model = linear.LinearRegression().fit(ROWS, [1, 2])
    loaded, saved = again(model, folder)
    np.testing.assert_array_equal(loaded.predict(ROWS), model.predict(ROWS))
    assert saved.metadata == {"estimator": "LinearRegression"}


class TestRawColumns:
    """What a model reads of a DataFrame."""

    @pytest.mark.parametrize(
        ("column", "dtype", "expected"),
        [
            ([1, 2], "int64", [1, 2]),
            ([1.0, None], "int64", [1, None]),
            (["1", " 2", "+3", "NA", None], "int64", [1, 2, 3, None, None]),
            ([1, "2", np.nan], "int64", [1, 2, None]),
            ([1.5, None, np.nan], "float32", [1.5, None, None]),
            (["1.5", " 2 ", "null", "1e3"], "float32", [1.5, 2.0, None, 1000.0]),
            (["nan", "1"], "float32", [None, 1.0]),
            ([True, False], "int64", [1, 0]),
            (["a", None, " b"], "string", [b"a", None, b" b"]),
            (pd.Categorical(["a", None]), "string", [b"a", None]),
            ([20_000_001, 3], "float32", [20_000_000.0, 3.0]),
            (np.array([1, 2], "uint64"), "float32", [1.0, 2.0]),
            (pd.array(["1", None], "string"), "int64", [1, None]),
        ],
    )
    def test_values_are_those_that_a_csv_file_would_give(self, column, dtype, expected):
        assert _array(pd.Series(column), "a", dtype).to_pylist() == expected

    @pytest.mark.parametrize(
        ("column", "dtype", "message"),
        [
            (["1", "x"], "int64", "int64 values in column 'a'; row 1 .from 0. has 'x'"),
            (["1", "1.5"], "int64", "row 1 .from 0. has '1.5'"),
            (["1", "0x10"], "float32", "float32 values in column 'a'; row 1 .from 0. has '0x10'"),
            ([1.5, np.inf], "float32", "row 1 .from 0. has inf, which is infinite or too large"),
            ([1.5, 1e40], "float32", r"row 1 .from 0. has 1e\+40, which is infinite or too large"),
            (["0x1F"], "int64", "row 0 .from 0. has '0x1F'"),
            (["1.5", "inf"], "float32", "row 1 .from 0. has 'inf', which is infinite"),
            ([1.5], "int64", "int64 values in column 'a'"),
            ([1], "string", r"string values in column 'a'.*dtype=\{'a': str\}"),
            ([2**70], "int64", "int64 values in column 'a'"),
            (pd.to_datetime(["2026-12-01"]), "int64", "int64 values in column 'a': got timestamp"),
            (pd.to_datetime(["2026-12-01"]), "float32", "float32 values in column 'a'"),
            ([1j], "float32", "float32 values in column 'a'"),
            (["\ud800"], "string", "string values in column 'a'"),
        ],
    )
    def test_others_are_refused_by_column_and_row(self, column, dtype, message):
        with pytest.raises(DataError, match=message):
            _array(pd.Series(column), "a", dtype)


class TestModelsOfClassSteps:
    """By the files that a step has written into an output of type ``Model``."""

    @pytest.fixture
    def exported(self, folder):
        """Exports a function as a SavedModel, and loads the artifact."""
        tf = pytest.importorskip("tensorflow")

        def export(place, dtype, signatures=("serving_default",)):
            module = tf.Module()

            @tf.function(input_signature=[tf.TensorSpec([None], dtype, name="rows")])
            def sizes(rows):
                return {"size": tf.strings.length(rows) if dtype == tf.string else rows}

            made = dict.fromkeys(signatures, sizes)
            tf.saved_model.save(module, str(folder / place), signatures=made)
            return materializers.load("Model", str(folder), {})

        return export

    @pytest.mark.parametrize("place", ["Format-Serving", ""])
    def test_a_saved_model_predicts(self, exported, place):
        model = exported(place, "string")
        assert model.predict([b"abc", b""]).tolist() == [3, 0]

    def test_one_that_takes_no_examples_says_what_it_takes(self, exported):
        model = exported("", "float32")
        with pytest.raises(DataError, match=r"takes rows \(float32\), not serialized examples"):
            model.predict([b"abc"])

    def test_one_without_the_usual_signature_names_its_own(self, exported):
        model = exported("", "string", ["score"])
        with pytest.raises(DataError, match="no signature 'serving_default'.*There are score"):
            model.predict([b"abc"])

    def test_a_file_of_keras(self, folder):
        keras = pytest.importorskip("keras")
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
        model.save(folder / "best.keras")
        loaded = materializers.load("Model", str(folder), {})
        np.testing.assert_array_equal(loaded(ROWS), model(ROWS))
        model.save(folder / "last.keras")  # which of them is meant, nobody says
        assert materializers.load("Model", str(folder), {}) == folder

    def test_of_other_formats_the_folder_is_what_there_is(self, folder):
        (folder / "model.joblib").write_bytes(b"not to be unpickled unasked")
        assert materializers.load("Model", str(folder), {}) == folder

    def test_what_is_saved_as_an_object_comes_back_as_one(self, tmp_path):
        class Fit(BaseStep):
            outputs = {"model": "Model"}

            def process(self, inputs, outputs):
                from sklearn.linear_model import LinearRegression

                frame = pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 2.0]})
                outputs["model"].save(LinearRegression().fit(frame[["x"]], frame["y"]))

        @step
        def slope(model) -> float:
            return float(model.coef_[0])

        pipeline = Pipeline("formats", repository=Repository(tmp_path))
        pipeline.add_step(Fit(), "fit")
        pipeline.add_step(slope.as_step(), inputs={"model": "fit.model"})
        run = pipeline.run(progress=None, in_process=True)
        assert run.steps["slope"].outputs["output"].load() == pytest.approx(2.0)
