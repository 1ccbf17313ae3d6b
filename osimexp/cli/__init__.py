"""The commands, one in each file, and the code that starts them."""
