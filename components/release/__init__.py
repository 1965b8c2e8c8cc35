"""What a registered version is: its files, its proof, its gate and its card."""
