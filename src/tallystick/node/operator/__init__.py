"""The operator: answers signed requests, commits what it answered, and stands by it."""
