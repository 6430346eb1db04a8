"""What will run: nodes and routing (seen by the gateway), compiling and the planner (which see the definition)."""
