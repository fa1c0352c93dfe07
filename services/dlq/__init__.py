"""Events that were refused for a reason that lay with the house, tried again as recorded new attempts."""
