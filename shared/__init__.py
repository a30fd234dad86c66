"""What both services share: roster, identity, audit, calendar, documents, web, database."""
