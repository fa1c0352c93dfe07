"""Tests without servers: they mirror the packages."""
