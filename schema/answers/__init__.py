"""Answers: their encoding, and answers to subscriptions. May import the schema, its types and executor."""
