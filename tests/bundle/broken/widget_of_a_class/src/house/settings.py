from dataclasses import dataclass
from typing import ClassVar


@dataclass
class Settings:
    count: ClassVar[int] = 0
    catalog: str
    schema: str
    seed: int = 7
