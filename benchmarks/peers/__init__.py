"""Servers of others for the same model: how each is installed and started."""
