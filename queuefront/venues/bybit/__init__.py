"""Bybit API v5: linear and inverse contracts, and spot, with one connector."""
