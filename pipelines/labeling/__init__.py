"""`winnow label`: people asked on a page or by files, and what they answer put into the ledger."""
