"""Measurements: cells, uploads, stored files, and the data of runs. May import app.pipelines."""
