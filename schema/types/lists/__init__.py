"""Lists: connections and pages of any table; filters and orders of pipelines."""
