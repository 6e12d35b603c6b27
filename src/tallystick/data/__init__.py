"""From a chain's logs to tables, and from tables to totals."""
