"""Who may do what: one table (`table.py`), and what refuses by it."""
