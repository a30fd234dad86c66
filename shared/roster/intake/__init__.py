"""An office's roster file becomes a plan, the plan is looked at, and only then written."""
