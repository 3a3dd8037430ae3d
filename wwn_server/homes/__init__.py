"""Where a home comes from."""
