"""A request that arrived: what it says of its signature, whether that is right, who sent it."""
