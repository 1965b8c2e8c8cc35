"""A policy's view of texts, from records to the vocabulary's numbers: said otherwise first, then cut and changed."""

from collections.abc import Mapping

from torch import Tensor

from components.core.seeds import derive
from components.modalities import Array, Positions, View
from components.modalities.text.exchange import Exchange
from components.modalities.text.material import listed
from components.modalities.text.policy import Policy, changed
from components.modalities.text.versions import Versions
from components.modalities.text.vocabulary import Vocabulary


def look_by(policy: Policy, vocabulary: Vocabulary, material: Mapping[str, Array]) -> View:
    """Records `(B, L)`, keys `(B,)` and a seed to numbers `(B, T)`; material: see `gather`.

    Raises WinnowError where it lacks what the policy takes from files.
    """
    synonyms, rewritten = policy.synonyms, policy.rewritten
    versions = Versions(listed(material, rewritten)) if rewritten else None
    exchange = Exchange(listed(material, synonyms), vocabulary) if synonyms else None

    def look(records: Tensor, keys: Positions, seed: int) -> Tensor:
        if versions and rewritten:
            records = versions(records, rewritten.chance, keys, derive(seed, "rewritten"))
        tokens = vocabulary.tokens(records)
        if exchange and synonyms:
            tokens = exchange(tokens, synonyms.chance, keys, derive(seed, "synonyms"))
        return changed(tokens, policy, keys, seed)

    return look
