"""Ways to break a candidate or its evaluation, on real models of the simulated world."""
