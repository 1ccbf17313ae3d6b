"""What biomechanists read from a walk: strides, curves over the gait cycle, and their norms."""
