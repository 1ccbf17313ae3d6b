"""The files that hold movements."""
