"""The command line: find files, load them, print the table."""
