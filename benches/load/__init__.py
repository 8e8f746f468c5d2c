"""Load against a real server on loopback: bounded in time and number, in a process of its own."""
