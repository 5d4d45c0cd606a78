"""The command-line program: its commands, options, signal handling and terminal output."""
