"""Readers of what venues and vendors write, each into event rows; `tail` ends every conversion."""
