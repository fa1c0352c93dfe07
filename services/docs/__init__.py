"""Pages of docs/reference that are made from the code: models, topics, commands. ``python -m services.docs`` writes them."""
