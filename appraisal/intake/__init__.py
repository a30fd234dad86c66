"""Office workbooks of the appraisal: looked at first, then written, all or nothing."""
