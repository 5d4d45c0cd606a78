"""What the command line needs of its terminal, its signals and its streams."""
