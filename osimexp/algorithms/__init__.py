"""Learning: one algorithm a file, and beside them what they truly share.

Algorithms import controllers, for the policy that they train; never the other way round.
"""
