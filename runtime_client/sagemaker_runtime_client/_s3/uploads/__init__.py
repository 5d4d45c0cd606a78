"""Upload objects of any size, in one request or in parts."""
