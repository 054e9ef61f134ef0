"""Command `check`: the problems of pipeline files, at their lines."""
