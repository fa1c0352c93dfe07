"""Who is whom, where two people have to decide. Pure."""


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's, however they are written."""
    return one.strip().casefold() == other.strip().casefold()
