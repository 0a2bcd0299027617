"""Whether a policy or a model is better, and whether the evidence is enough to say so."""
