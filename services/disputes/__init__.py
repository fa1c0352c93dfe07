"""Disputes of lines: opened, shown with their evidence, decided by a second person."""
