"""Executors: what runs in the worker. Each rebuilds its step and calls the step's method.

These modules load TensorFlow and Beam; they are imported by class path, when a node runs.
"""
