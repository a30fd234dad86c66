"""What runs by itself: jobs, their periods, and the one leader that runs them."""
