"""Training: sessions, who came, what the test said, and the hours a cycle asks for."""
