"""Messages of the settlement bank and files of co-brand banks, without servers."""
