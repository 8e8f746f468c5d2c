"""The server process: its signals, its listening socket, its certificate and its service manager."""
