"""Downloads of objects of any size, and of all objects below a prefix."""
