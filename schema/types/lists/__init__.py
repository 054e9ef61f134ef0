"""Lists of pipelines: filters, orders and the connection; pages of any table."""
