"""Checking of spec files: settings, patterns, files to check, findings, advice, repairs and fixes."""
