"""`make run`: what AWS and a customer would bring, so that the built bundle runs on one machine."""
