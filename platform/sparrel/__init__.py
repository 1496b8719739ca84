"""Sparrel: an open, self-hosted model platform on Ray."""

__version__ = "0.1.0"
