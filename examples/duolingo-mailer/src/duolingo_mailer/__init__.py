"""duolingo-mailer."""
