"""The composition root: the gridmerit command, embedded engines, the one-process server."""
