"""Kill, damage and fuzz what runs and reads, and count what comes of it.

Usage: osimexp bench faults [pieces=[PIECE,...]] [seed=N] [key=value ...]

It writes cases.csv and counts.json, and keeps the files of each fault beside them. With the same
seed the same faults are made, except for the moments that depend on the speed of the machine.

Example:
    osimexp bench faults pieces=[flips,overrides] flips=20 overrides=50 output=outputs/faults
"""
