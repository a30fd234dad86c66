"""Accounts, PINs, sessions, activation slips, and who may do what."""
