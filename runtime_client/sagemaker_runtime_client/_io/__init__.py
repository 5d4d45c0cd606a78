"""The outside world: files, processes, clocks, event loops, connections.  Every side effect is here."""
