"""Commands about the pipelines of a server: their list, start, cancellation, reruns, exports, logs and reports."""
