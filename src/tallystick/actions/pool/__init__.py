"""Actions in a pool of auditors: seats, escrows, audits and cases, checked before they are sent."""
