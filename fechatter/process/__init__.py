"""The server process: signals, listening socket, certificate, service manager."""
