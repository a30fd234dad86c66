"""Working days, from a table the department edits."""
