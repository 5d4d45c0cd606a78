"""Settings: from arguments, the environment and the shared files."""
