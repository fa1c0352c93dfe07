"""The processes of the house as they are run: several of one kind, several kinds together, the clock of the nights."""
