"""Settings from arguments, environment variables and the shared configuration files."""
