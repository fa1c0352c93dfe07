"""What the house survives: whatever is killed, restarted, sent twice or broken, the books and the report's hash are those of an undisturbed run."""
