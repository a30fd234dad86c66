"""Crashes, faults and crowds against the served product, and the checker that replays its ledger.

What a kill -9 proves is that no crash of a process loses or doubles anything. It does not prove
what happens when the machine loses power: that rests on fsync, which the start-up checks demand.
"""
