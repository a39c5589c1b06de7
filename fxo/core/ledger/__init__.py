"""Who is owed what: postings as a pure function of events."""
