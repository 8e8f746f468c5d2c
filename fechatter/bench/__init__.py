"""Load for a server, and figures of it: bounded in time and number, in a process of its own.

Called by `fechatter bench` and by `make figures` and `make claims`. Nothing here is part of a running server.
"""
