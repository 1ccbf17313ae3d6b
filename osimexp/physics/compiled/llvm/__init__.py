"""From a record to machine code, by LLVM."""
