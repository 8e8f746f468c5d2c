"""Cheap password hashes for tests that do not test hashing."""

from argon2 import PasswordHasher

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Costs a thousandth of the server's hashes and is verified in the same way."""
