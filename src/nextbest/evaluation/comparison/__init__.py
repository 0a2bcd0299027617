"""Two versions on the same decisions: differences with intervals, tests, power, disagreement.

Everything here takes arrays of one length, a row per decision, and differences are those of the
second version less the first. What is a mean over decisions is compared by its differences
(`paired`), areas under ROC curves by DeLong's covariance (`roc`), successes by the discordant ones
(`proportions`), what is neither by resampling rows (`bootstrap`); several results at once are
corrected (`correction`); how much could have been seen is told (`power`); where the two part is
looked for (`slices`, `agreement`). `measures` says which metric takes which.
"""
