"""The parts of `send` and `send_many`: messages are checked, cut into batches, and delivered."""
