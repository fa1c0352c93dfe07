"""Programme files: read, checked, compared, shown."""
