"""Commands about the pipelines of a server: their list, start, cancellation, reruns, logs and reports."""
