"""Reports for people: every view is made from the one canonical JSON of a run, and the nights before from theirs."""
