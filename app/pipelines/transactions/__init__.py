"""Steps of the transactions that change pipelines, without the ORM."""
