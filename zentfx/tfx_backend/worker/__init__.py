"""The worker process: what needs TensorFlow runs there, and it is loaded once."""
