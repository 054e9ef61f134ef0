"""Documents: parsed, limited, validated, cached. May import schema.types, schema.errors and app."""
