"""The appraisal cycle (半年评比, 年终考核): its period and its stages, each step signed."""
