"""Reads compiled. A validated query becomes a plan, which is kept: statements that read the columns asked for and no
other, and closures that make the answer of their rows. What no plan serves, the executor does; so it does whenever a
plan meets anything odd, so that errors are always the executor's own.

    cache.py       finds the plan of an operation, or makes it
    selections.py  what is selected, as graphql-core collects it
    roots.py       the fields of Query
    pages.py       `pipelines`, whose statements depend on its arguments
    fields.py      how each field of the types below is read
    rows.py        from rows to objects
    wire.py        stored values as the answer shows them
    statements.py  SQL text, compiled once for all callers
"""

from schema.plans.cache import Plans

__all__ = ["Plans"]
