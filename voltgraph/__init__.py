"""Package of the wheel. It holds `app`, `schema` and `queries` there; in a checkout they lie beside it."""
