"""What can be set of the training."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Of R2R's training (arXiv 2505.21600, appendix): the loss, the validation every two epochs with a patience of ten,
    the weight decay and the recall that the threshold has to reach. Batch and learning rate are for thousands of tokens
    instead of millions. ``large_share`` chooses the threshold by the share of tokens it sends to the large model
    instead."""

    seed: int = 0
    blocks: int = 2
    width: int = 256
    epochs: int = 50
    patience: int = 10
    batch: int = 256
    learning_rate: float = 3e-4
    weight_decay: float = 5e-4
    dropout: float = 0.1
    recall_factor: float = 1.0
    recall: float = 0.95
    large_share: float | None = None
