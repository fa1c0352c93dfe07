"""From a net position down to the records it comes from; at each level the parts add up to the level above, and it is shown that they do."""
