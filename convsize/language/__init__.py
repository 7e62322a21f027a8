"""The spec language: scanner, parser, syntax tree, formatter."""
