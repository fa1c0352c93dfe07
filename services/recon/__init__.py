"""Reconciliation with co-brand banks: what the house expects, what the bank reports, what matches, and what becomes of the rest."""
