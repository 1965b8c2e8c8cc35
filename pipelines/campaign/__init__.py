"""Strategies compared over rounds of labeling: what is planned, run, drawn."""
