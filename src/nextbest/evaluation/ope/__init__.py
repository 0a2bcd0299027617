"""Off-policy evaluation: what a policy would have earned, from the log of another one.

A log (`log`) becomes one vector per decision (`terms`), the vectors become mergeable moments
(`moments` by numpy, `spark` by one aggregation), and these become estimates with intervals
(`estimators`), diagnostics with a go or no-go (`diagnostics`), and both together (`value`).
"""
