"""The policy of the clearing house, without input or output: mechanics, lots, obligations, netting, windows. No clock, no environment."""
