"""Sandbox Bank: a small bank in a process of its own, to test against and to learn with.

Run it with ``python -m sandbox``; README.md beside this file is the guide.
"""
