"""Payloads held to MLflow's protocol messages: unknown fields, wrong kinds, unknown words."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError


def problems(message: type, given: Mapping[str, Any]) -> list[str]:
    """What is wrong with JSON that should be this message."""
    try:
        ParseDict(given, message())
    except ParseError as error:
        return [f"{message.__name__}: {error}"]
    return []


def response_of(message: type) -> type:
    """The message that answers: `X.Response`, or of Unity Catalog XResponse to XRequest."""
    if hasattr(message, "Response"):
        return message.Response
    name = message.__name__.removesuffix("Request") + "Response"
    module = message.DESCRIPTOR.file.name.removesuffix(".proto")
    return getattr(importlib.import_module(f"mlflow.protos.{module}_pb2"), name)
