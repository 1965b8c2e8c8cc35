"""What learns: one file per method, in five families, and what several of them stand on."""
