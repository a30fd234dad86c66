"""Cases: chains of signed steps, each chain a state machine that is written down as data."""
