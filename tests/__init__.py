"""Tests: `unit` mirrors the packages; `contract`, `integration`, `acceptance` and `faults` run on real servers."""
