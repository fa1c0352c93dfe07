"""Messages of the settlement bank: written, read, and held to their schemas both ways."""
