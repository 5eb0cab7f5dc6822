"""Settings from file, environment and command line, merged and checked."""
