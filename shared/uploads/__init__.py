"""An office's file between preview and acceptance: kept sealed for a day, then forgotten."""
