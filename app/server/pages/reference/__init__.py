"""REST reference: the OpenAPI document, and a page of it without scripts."""
