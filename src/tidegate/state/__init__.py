"""What outlives a reload: token buckets so far. Keyed by stable ids, never by objects of a plan."""
