"""Alembic migrations of one programme's books; forward only."""
