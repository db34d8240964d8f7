"""duolingo-api."""
