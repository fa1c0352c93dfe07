"""Parts of the processes that need no servers."""
