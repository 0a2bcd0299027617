"""A Databricks workspace on loopback that records: what it is asked, typed by the SDK, with faults.

`Workspace` (server.py) answers the endpoints that this project calls. Each is one function with
`@route(...)` in the module of its service; to add one, write it there. Requests and answers are
checked against the SDK's own method of that call, so that neither side can invent a field.
"""
