"""The queue of accepted invocations."""
