"""Messages of banks."""
