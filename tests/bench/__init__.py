"""`make bench`: how fast the house is on this machine, always beside the machine's own limit in the same run."""
