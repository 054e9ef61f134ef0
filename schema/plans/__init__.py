"""Plans: queries compiled to SQL.

A validated operation becomes a cached plan: statements that read only the selected columns, and code that builds the
answer from their rows. The executor answers operations without a plan, and those in which a plan meets an irregularity,
so that every error is the executor's own.
"""
