"""What people declare: records, the store that keeps them, and the frozen document that a deployment is."""
