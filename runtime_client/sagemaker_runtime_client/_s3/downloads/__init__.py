"""Download objects of any size, or all objects below a prefix."""
