"""The page of the list of calls, and what it does."""
