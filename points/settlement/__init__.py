"""Funds, monthly statements, publication."""
