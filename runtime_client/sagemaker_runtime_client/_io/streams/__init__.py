"""A byte stream over TCP or TLS for each kind of backend: threads, asyncio and trio."""
