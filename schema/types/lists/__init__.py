"""Lists of pipelines: filters, orders and the connection."""
