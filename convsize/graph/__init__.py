"""From the syntax tree to a network of sized layers."""
