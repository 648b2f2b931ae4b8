"""What people would use instead: programs that run in the environment of `make compare`."""
