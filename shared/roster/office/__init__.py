"""What the office does with the roster by hand: look, search, appoint, transfer, end, export."""
