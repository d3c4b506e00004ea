"""The whole engine under one seed: a failing seed replays exactly."""
