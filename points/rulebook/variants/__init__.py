"""本村细则: what a village pays for an item instead of the county's points, within its range."""
