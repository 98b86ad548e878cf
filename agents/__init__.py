"""Solves: the strategies, one file each, behind one interface."""
