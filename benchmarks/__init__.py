"""Speed, as ratios against a named peer in the same run; tests assert none of it."""
