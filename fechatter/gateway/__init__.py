"""The Rust gateway as a part of this process: its configuration, its start and stop, its counters.

`process/server.py` starts it in front of Granian if the setting `gateway` is on. `process/gateway.py` starts it in
front of other servers.
"""
