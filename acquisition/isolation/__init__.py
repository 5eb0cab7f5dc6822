"""A native driver in a child process that can be killed without the engine noticing."""
