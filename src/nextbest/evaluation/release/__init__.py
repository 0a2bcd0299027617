"""When a version may be released: what a use case declares, what is measured, the page of it."""
