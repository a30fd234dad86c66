"""Personal data: why it is kept, how long, and that it goes when its time is over."""
