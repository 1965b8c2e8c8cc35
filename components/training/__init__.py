"""The one loop, and what surrounds it."""
