"""Words that every room shares: messages, errors, the clock, ids, ARNs. Imports nothing of ours and does no I/O."""
