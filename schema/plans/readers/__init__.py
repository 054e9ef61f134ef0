"""Readers of fields: parts of results, failures and series; projects and rights; fields that resolvers compute."""
