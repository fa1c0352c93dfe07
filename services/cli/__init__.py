"""The command line `clh`: one module for each group of commands."""
