"""Every side effect of the client: files, processes, clocks, event loops and connections."""
