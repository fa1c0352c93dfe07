"""The books in SQL: tables and migrations, what appends to them, and what sums them up. One PostgreSQL schema for each programme."""
