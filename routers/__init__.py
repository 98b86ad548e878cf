"""Chooses: difficulty estimates and the policies that pick a route."""
