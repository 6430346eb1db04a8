"""Message transformation without I/O: `$context`, parameter mapping, access-log formats, Lambda events."""
