"""From few labels to a labeled pool."""
