"""Units, posts, people and their dated assignments; the office's roster file."""
