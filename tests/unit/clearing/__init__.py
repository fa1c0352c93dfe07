"""The policy, without servers."""
