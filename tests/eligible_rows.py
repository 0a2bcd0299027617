"""What the gates left of each customer's treatments, and why the others went."""

from __future__ import annotations


def rejected(frame):
    return {
        row["customer_id"]: {each["treatment"]: each["reasons"] for each in row["rejected"]}
        for row in frame.collect()
    }


def eligible(frame):
    return {row["customer_id"]: row["eligible"] for row in frame.collect()}
