"""Reads compiled. A validated operation becomes a plan, which is kept: statements that read the columns asked for and
no other, and code that makes the answer of their rows. What no plan serves, the executor does; so it does whenever a
plan meets anything odd, so that errors are always the executor's own.

    cache.py       finds the plan of an operation, or makes it
    variables.py   the variables of an operation, and coercion.py their values
    selections.py  what is selected, as graphql-core collects it, and the arguments of fields
    roots.py       the fields of Query
    pages.py       `pipelines`, and shapes.py the statements that its arguments lead to
    mutations.py   resolvers called as ever, and plans for what is selected of their payloads
    fields.py      how each field of a pipeline and of what is below it is read
    rows.py        from rows to objects
    children.py    a statement a level
    wire.py        stored values as the answer shows them
    statements.py  SQL text, compiled once for all callers
"""

from schema.plans.cache import Plans

__all__ = ["Plans"]
