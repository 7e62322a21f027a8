"""How the report of one network is shown: table, CSV, JSON, Markdown."""
