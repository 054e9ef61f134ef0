"""Arguments and variables of plans. May import schema.documents and schema.types."""
