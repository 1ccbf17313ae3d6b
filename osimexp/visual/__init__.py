"""Pictures, clips and interactive pages of movements."""
