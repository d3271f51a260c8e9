"""`make run`: stand-ins for AWS and a customer, so that the built bundle runs on one machine."""
