"""wav2vec 2.0: stretches of a clip are hidden, and what was heard there is told from what was heard elsewhere in it.

Baevski, Zhou, Mohamed & Auli 2020, https://arxiv.org/abs/2006.11477
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.methods import draws
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.foretelling import share_of, surprise
from components.methods.hidden_frames import distractors, stretches
from components.methods.precise import precise
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder
from components.models.encoders.wave_transformer import WaveTransformer

USUAL = 512  # channels of the paper, by which scores begin as far apart here
HOTTEST, COLDEST, SETTLED = 2.0, 0.5, 0.7  # Gumbel temperatures, and at which share of training the last is reached


class Wav2vec2(SelfSupervisedMethod):
    """Frames become entries of a code book, and hidden ones are told apart by what the transformer makes of the rest.

    Distractors of the same entries as the frame itself do not count, as in the authors' program; so the loss may rise
    while more come into use, and `contrastive_accuracy` beside `guessing` says whether it learns.
    """

    fits = ("wave",)
    apart = True
    views = ("weak",)
    encoder: WaveTransformer
    progress: Tensor

    class Config(BaseConfig):
        """begins: share of the frames with which a hidden stretch begins; span: its length in frames, half the clip at
        most; distractors: at most so many; temperature: of the contrast; groups, entries: of the code book, and size:
        of the vectors compared; diversity: weight of the even use of entries (all: the paper's).
        """

        begins: float = Field(default=0.065, gt=0, le=1)
        span: int = Field(default=10, ge=1)
        distractors: int = Field(default=100, ge=1)
        temperature: float = Field(default=0.1, gt=0)
        groups: int = Field(default=2, ge=1, le=16)
        entries: int = Field(default=320, ge=2, le=8192)
        size: int = Field(default=256, ge=1, le=4096)
        diversity: float = Field(default=0.1, ge=0)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        if not isinstance(encoder, WaveTransformer):
            raise WinnowError(
                "pretrain.method 'wav2vec2' hides frames between convolutions and a transformer: set pretrain.encoder "
                "to wave_transformer."
            )
        self.encoder, self.config = encoder, config
        self.hidden = nn.Parameter(torch.rand(encoder.width))  # what stands in the place of a hidden frame
        self.quantizer = Quantizer(encoder.channels, config.groups, config.entries, config.size)
        self.target = nn.Linear(self.quantizer.size, config.size)
        self.context = nn.Linear(encoder.width, config.size)
        self.register_buffer("progress", torch.zeros((), dtype=torch.float64))

    def training_step(self, batch: Batch) -> StepOutput:
        """Equation 2. `contrastive_accuracy` of the first guess beside what `guessing` would have, and `perplexity`:
        how many entries of the code book are evenly in use, of all groups together.
        """
        config, encoder = self.config, self.encoder
        frames, mask = encoder.hear(batch.views[0])
        lots = draws.uniform(batch, 2, encoder.frames)[..., : frames.shape[1]]
        hidden = stretches(mask, lots[:, 0], config.begins, config.span)
        noise = draws.uniform(batch, encoder.frames, config.groups, config.entries)[:, : frames.shape[1]][hidden]
        vectors, entries, shares = self.quantizer(frames[hidden], noise, self.heat)
        seen = encoder.encode(torch.where(hidden[..., None], self.hidden, encoder.widen(frames)), mask)
        entries, targets = _laid(entries, hidden), _laid(self.target(vectors), hidden)
        rivals = distractors(hidden, lots[:, 1], config.distractors) & (entries[:, None] != entries[:, :, None]).any(3)
        scores = (likeness(self.context(seen), targets, rivals) / config.temperature)[hidden]  # (M, T)
        own = hidden.nonzero()[:, 1]
        contrast = share_of(surprise(scores, own), len(own))
        used = whole_batch(shares.sum(0)[None]).sum(0) / whole_batch(shares.new_tensor([len(shares)])).sum()
        chances, right = 1 / (1 + rivals.sum(2)[hidden]), scores.argmax(1) == own
        figures = {"contrastive_loss": contrast.detach(), "contrastive_accuracy": right.double().mean()}
        figures |= {"guessing": chances.double().mean(), "perplexity": in_use(used.detach()).sum()}
        return StepOutput(contrast + config.diversity * diversity(used), figures)

    def after_step(self, progress: float) -> None:
        """The code book's choices get harder."""
        self.progress.fill_(progress)

    @property
    def heat(self) -> Tensor:
        """The temperature of the Gumbel softmax, which falls by the same factor in each step."""
        return (HOTTEST * (COLDEST / HOTTEST) ** (self.progress / SETTLED)).clamp_min(COLDEST)


class Quantizer(nn.Module):
    """`groups` code books of `entries` vectors, one of each chosen for a frame; begun as in the authors' program."""

    def __init__(self, channels: int, groups: int, entries: int, size: int) -> None:
        super().__init__()
        self.shape = (groups, entries)
        self.score = nn.Linear(channels, groups * entries)
        nn.init.normal_(self.score.weight, std=(USUAL / channels) ** 0.5)  # or evenness flattens all scores first
        nn.init.zeros_(self.score.bias)
        self.book = nn.Parameter(torch.rand(groups, entries, -(-size // groups)))
        self.size = groups * self.book.shape[2]

    def forward(self, frames: Tensor, lots: Tensor, heat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frames `(M, C)` -> vectors `(M, self.size)`, the entries they are made of `(M, groups)`, and chances of each
        entry without noise `(M, groups, entries)`. Equation 1 and its gradient straight through the choice; lots:
        `(M, groups, entries)` in [0, 1), which count in training alone.
        """
        scores = precise(self.score(frames)).view(-1, *self.shape)
        noise = -(-lots.to(scores.dtype).clamp(1e-7, 1 - 1e-7).log()).log() if self.training else 0
        soft = ((scores + noise) / heat.to(scores.dtype)).softmax(2)
        chosen = F.one_hot(entries := soft.argmax(2), self.shape[1]) + (soft - soft.detach())
        return torch.einsum("mgv,gvd->mgd", chosen, precise(self.book)).flatten(1), entries, scores.softmax(2)


def likeness(context: Tensor, targets: Tensor, rivals: Tensor) -> Tensor:
    """`(B, T, T)`: cosines of each row of context `(B, T, D)` to its own row of targets `(B, T, D)` and to its rivals',
    -inf elsewhere. Equation 3 is the softmax of a row, divided by the temperature.
    """
    with torch.autocast(context.device.type, enabled=False):
        context, targets = (F.normalize(precise(one), dim=2) for one in (context, targets))
        cosines = context @ targets.transpose(1, 2)
    own = torch.eye(rivals.shape[1], dtype=torch.bool, device=rivals.device)
    return cosines.masked_fill(~(rivals | own), -torch.inf)


def diversity(shares: Tensor) -> Tensor:
    """Of mean chances `(G, V)`: from 0, all entries used alike, to 1 - 1 / V. As in the authors' program, with how many
    are in use in place of the entropy, its logarithm, of equation 4: both are least where all are used alike.
    """
    return 1 - in_use(shares).sum() / shares.numel()


def in_use(shares: Tensor) -> Tensor:
    """`(G,)`: of so many entries used evenly the mean chances `(G, V)` would have the same entropy."""
    return (-(shares * (shares + 1e-7).log()).sum(1)).exp()


def _laid(rows: Tensor, hidden: Tensor) -> Tensor:
    """`(M, ...)` of the hidden frames, each in its place of `(B, T, ...)`, zeros elsewhere."""
    return rows.new_zeros(*hidden.shape, *rows.shape[1:]).index_put((hidden,), rows)
