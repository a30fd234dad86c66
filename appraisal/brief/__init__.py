"""A cycle on one sheet of paper, in place of a screen on the wall."""
