"""Plans: queries compiled to SQL. May import schema.documents, schema.types, schema.errors and app."""
