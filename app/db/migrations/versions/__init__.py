"""The migrations, oldest first by name; none is changed once it has been released."""
