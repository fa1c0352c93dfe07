"""The errors of the policy."""


class ClearingError(Exception):
    """Base of what the policy refuses. None of it is cured by trying again: a person has to correct the input."""
