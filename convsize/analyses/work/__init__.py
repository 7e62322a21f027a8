"""The work of layers: as we count it, and as other tools do."""
