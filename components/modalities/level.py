"""One strength of one augmentation, as the audit tries it and as a policy then uses it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Level:
    """One strength of one augmentation: settings of a policy, `always` as it is audited, `advised` as it is used."""

    always: dict[str, Any]
    advised: dict[str, Any] = field(default_factory=dict)
    chance: bool = True  # False: two draws are the same

    @property
    def setting(self) -> dict[str, Any]:
        """What a policy says that uses it."""
        return self.advised or self.always
