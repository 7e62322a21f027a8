"""One file per analysis, each one fold over the network."""
