"""What the project's own commands run; no service installs it."""
