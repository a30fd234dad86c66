"""Work records, their verification, the month, deductions and appeals."""
