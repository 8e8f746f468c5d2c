"""Who may do what: one table (`table.py`), and the checks that use it."""
