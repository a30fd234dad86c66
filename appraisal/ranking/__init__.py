"""Ranks by village, township, county and grid type, frozen with the run they belong to."""
