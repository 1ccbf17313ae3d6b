"""Learning algorithms, one in each file, and the parts that they share.

Algorithms import controllers, because they train a policy; controllers import no algorithm.
"""
