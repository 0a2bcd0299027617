"""Off-policy evaluation: what a policy would have earned, from the log of another one.

A log (`log`) becomes one vector per decision (`terms`), the vectors become mergeable moments
(`moments` by numpy, `spark` by one aggregation), and these become estimates with intervals
(`estimators`), with λ chosen from a grid (`choice`), diagnostics with a go or no-go
(`diagnostics`), and all together (`value`); by segment (`segments`); with q̂ fitted out of fold
(`crossfit`); from a file of any size (`source`, `checks`, and `dbb evaluate-policy`).

MRDR (Farajtabar et al. 2018) is left out: it is DR with a q̂ fitted under weights w(w − 1), so it
is a way to train and not another sum over the log; fit q̂ so (with `crossfit`) and read `dr`.
"""
