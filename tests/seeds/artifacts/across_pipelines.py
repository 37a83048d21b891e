import pandas as pd

from zentfx import Repository as Client
from zentfx import pipeline, step


@step
def load_data() -> pd.DataFrame:
    """What the seed leaves open."""
    return pd.DataFrame({"x": [0.0, 1.0]})


@step
def use_trained_model(data: pd.DataFrame, model) -> pd.Series:
    """Use a model loaded from a previous pipeline run."""
    return pd.Series(model.predict(data))


@pipeline
def inference_pipeline():
    # Load data
    data = load_data()
    # Get the latest model from another pipeline
    model = Client().get_artifact_version("trained_model")
    # Use it for predictions
    predictions = use_trained_model(data=data, model=model)
