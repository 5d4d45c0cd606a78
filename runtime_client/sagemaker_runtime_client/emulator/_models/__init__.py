"""Models, which are Python functions or model containers, and how they are run."""
