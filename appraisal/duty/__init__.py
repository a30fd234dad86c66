"""What people did and how they were found: attendance, checks, praise, complaints, vetoes."""
