"""The classifier that ships: an encoder and a head in one file of weights and one of settings beside it."""
