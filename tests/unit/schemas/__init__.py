"""Tests of the package schemas."""
