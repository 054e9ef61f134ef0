"""Lists of pipelines and of other tables: filters, orders and pages, for both APIs."""
