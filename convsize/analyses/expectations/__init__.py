"""What `expect:` lines ask, held against what the network is."""
