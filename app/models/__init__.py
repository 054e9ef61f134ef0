"""Vocabulary: enums, column types, tables and the interface of SQL. Imports no other package."""
