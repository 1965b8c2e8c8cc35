"""Encoders without labels."""
