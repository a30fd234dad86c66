"""What must always hold of the appraisal (I15, I16, I18), for ``gridmerit verify``."""
