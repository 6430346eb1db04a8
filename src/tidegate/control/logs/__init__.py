"""The management API of CloudWatch Logs (service `logs`, 2014-03-28), as far as reading the functions' logs needs it."""
