"""Importing: a spec written from the calls that a model of another tool makes."""
