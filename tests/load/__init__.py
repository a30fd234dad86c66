"""What it costs: the bench, its baselines and its load client (``make bench``)."""
