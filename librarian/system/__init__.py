"""The doors to the world: the clock, the environment and files; programs; signals; worker processes; the lock."""
