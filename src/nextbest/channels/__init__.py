"""Where alerts are told: the run's log, e-mail and web hooks."""
