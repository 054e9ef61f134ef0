"""Types of the schema. May import app.pipelines, app.server and what these may."""
