"""What people who answer for a model ask: how versions differ, where one comes from, whether it can be made again."""
