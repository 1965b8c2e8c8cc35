"""The `winnow` command and what drives the stages: DVC behind one module."""
