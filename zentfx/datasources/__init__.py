"""Datasources: the steps that bring data into a pipeline."""
