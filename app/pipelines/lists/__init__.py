"""Lists of pipelines: filters, orders and pages, for both APIs."""
