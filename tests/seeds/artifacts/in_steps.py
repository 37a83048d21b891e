from zentfx import Repository as Client
from zentfx import step


@step
def evaluate_against_previous(model, X_test, y_test) -> float:
    """Compare current model with the previous best model."""
    client = Client()
    # Get the previous best model
    best_model = client.get_artifact_version("best_model")
    # Use it for comparison
    previous_accuracy = best_model.data.score(X_test, y_test)
    current_accuracy = model.score(X_test, y_test)
    return current_accuracy - previous_accuracy
