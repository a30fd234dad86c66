"""Word documents out of templates that the department edits."""
