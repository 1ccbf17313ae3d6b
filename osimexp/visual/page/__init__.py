"""The page in the browser: its data, its html and who serves it."""
