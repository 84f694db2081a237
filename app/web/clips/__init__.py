"""The pages of the library of clips."""
