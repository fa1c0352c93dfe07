"""Files of co-brand banks: card transactions in, reward detail out."""
