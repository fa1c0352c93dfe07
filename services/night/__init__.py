"""The night run's side of the books: the port of `clearing/night.py` in SQL, and the command that runs it."""
