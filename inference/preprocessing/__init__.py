"""Filters, resampling, windows and the quality gate before any feature."""
