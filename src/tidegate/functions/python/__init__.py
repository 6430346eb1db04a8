"""What runs inside the functions' own Python, not in the gateway's: no module here is imported by Tidegate."""
