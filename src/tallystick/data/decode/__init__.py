"""From raw logs to a table for each event, whole columns at a time."""
