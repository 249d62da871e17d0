"""The business, free of events: who gets what, from where, until when, bought from whom."""
