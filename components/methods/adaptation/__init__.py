"""From an encoder to a classifier."""
