"""The outside world: files, processes, clocks, event loops, connections.  Every side effect of the client is here."""
