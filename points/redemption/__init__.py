"""Codes, the counter, orders ahead, holds, undo."""
