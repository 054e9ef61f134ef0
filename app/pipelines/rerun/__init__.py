"""Reruns: new pipelines that take over the results of an ended one. May import app.pipelines."""
