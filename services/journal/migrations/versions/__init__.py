"""One file for each step of the schema, with a note of why."""
