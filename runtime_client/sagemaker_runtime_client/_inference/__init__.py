"""Inference jobs and calls of models: arguments, requests, handles, waits and outputs."""
