"""Whether operators' HTTP endpoints answer: probes, their log, and accessibility from it."""
