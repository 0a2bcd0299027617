"""Read a Databricks bundle into frozen values, the way Databricks itself reads it."""

from __future__ import annotations

from nextbest.bundle.graph import Bundle, Diagnostic
from nextbest.bundle.include import find_root
from nextbest.bundle.read import configuration, diagnose, load

__all__ = ["Bundle", "Diagnostic", "configuration", "diagnose", "find_root", "load"]
