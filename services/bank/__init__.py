"""What goes to and comes from banks: messages of the settlement bank, held to their schemas both ways; card files of co-brand banks, reward detail for them."""
