"""试算: what a scored cycle would have been under other rules; nothing is written."""
