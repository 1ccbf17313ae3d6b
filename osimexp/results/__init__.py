"""Many runs: what lies under a folder, what differs between runs, and which of them is better."""
