"""Commands of the command line, and what they need of the terminal, of signals and of streams."""
