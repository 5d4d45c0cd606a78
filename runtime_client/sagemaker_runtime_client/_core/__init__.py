"""Each operation once, as a coroutine."""
