"""What could go wrong with parties: limits and prefunding, default and its loss, what it would cost."""
