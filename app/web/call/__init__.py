"""The page of one call: routes, and what its contexts are made from."""
