"""What templates are given: one frozen dataclass each, in the file named as its page."""
