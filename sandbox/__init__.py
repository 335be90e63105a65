"""Sandbox Bank: a small bank in a process of its own, to test against and to learn with.

Run it with ``bin/sandbox``; README.md beside this file is the guide.
"""
