"""Tests of banks' files, without servers."""
