"""Laying out SQL."""
