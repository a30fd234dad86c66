"""The money behind points: funds of villages, townships and the county, and their resolutions."""
