"""The command line: its commands, options, signal handling and terminal output."""
