"""What learns: one file per method, in four families, and what several of them stand on."""
