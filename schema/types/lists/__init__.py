"""Inputs of lists of pipelines: filters and orders."""
