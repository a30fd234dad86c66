"""Accounts, transfers, lots and holds behind one door, points.post_batch."""
