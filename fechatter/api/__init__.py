"""HTTP: turns requests into calls of the other packages, and their results and errors into responses."""
