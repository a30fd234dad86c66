"""A small invented county in which the whole story can be played in one sitting."""
