"""What is worth a person's time."""
