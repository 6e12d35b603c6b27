"""The story of three kinds of evidence, told by `make demo-zk`."""
