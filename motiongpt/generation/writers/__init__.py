"""Language models prepared for writing one token after another, as fast as they can."""
