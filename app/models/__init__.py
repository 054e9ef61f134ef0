"""Vocabulary: enums, column types and tables. Imports no other package."""
