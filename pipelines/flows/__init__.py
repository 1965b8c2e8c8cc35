"""The pipeline as a Prefect flow: the flow, its server, schedules and what a dead run left."""
