"""The parts of Winnow; they know no orchestrator. Imports go down only (see docs/architecture.md)."""
