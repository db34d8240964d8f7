"""`./dev demo`: two services out of the template, alive."""
