"""Machine code from traced programs, by LLVM."""
