"""The ops: one file each with everything the tool knows about a kind of layer, and the list of them."""
