"""What pictures are made of: shapes, colours, files."""
