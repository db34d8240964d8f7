"""duolingo-report."""
