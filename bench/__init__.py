"""Measurements and proofs: each starts servers of its own and leaves nothing behind."""
