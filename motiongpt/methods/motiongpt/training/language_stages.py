"""Stages 2 and 3: the language model learns motion tokens, then instructions."""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from hydra.utils import instantiate
from omegaconf import DictConfig

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.loading import load_backbone
from motiongpt.data.store import MotionStore
from motiongpt.data.training_captions import write_training_captions
from motiongpt.methods.motiongpt.tasks.clip_tokens import WHOLE
from motiongpt.methods.motiongpt.tasks.pretraining_mix import PretrainingMix
from motiongpt.methods.motiongpt.tasks.templates import Templates
from motiongpt.methods.motiongpt.token_store import TokenStore
from motiongpt.methods.motiongpt.training.half_range import widen_feed_forward
from motiongpt.methods.motiongpt.training.language_batch import check_parts, collator
from motiongpt.methods.motiongpt.training.language_data import LanguageExamples, Mix, TokenisedClips
from motiongpt.methods.motiongpt.training.language_model_cost import transformer_parts
from motiongpt.methods.motiongpt.training.looks import check_strategy, looks_at
from motiongpt.methods.motiongpt.training.tokens_stage import TOKENS
from motiongpt.methods.motiongpt.training.unsupervised import unsupervised_objective
from motiongpt.preflight import Outlook, preflight
from motiongpt.training.captioned import log_clips_without_captions
from motiongpt.training.compilation import compile_parts
from motiongpt.training.optimization import make_optimization
from motiongpt.training.schedule import Schedule
from motiongpt.training.seeding import seed_everything
from motiongpt.training.stage import MODEL, Stage, StageContext
from motiongpt.training.watching import Looks, Watch, callback


class LanguageStage(Stage):
    """What both language stages share: examples of a mix in, a trained backbone in `model/`.

    Args:
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.
    """

    distributed: ClassVar[bool] = True
    name: str

    def __init__(
        self,
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
    ) -> None:
        self.seed = seed
        self.schedule = Schedule.of(schedule)
        self.optimization = make_optimization(
            optimizer, scheduler, learning_rate, self.schedule.steps
        )

    def train(
        self,
        backbone: Backbone,
        mix: Mix[Any],
        tokens: TokenStore,
        context: StageContext,
        started_from: Path | None = None,
        looks: Looks | None = None,
    ) -> Mapping[str, float]:
        """Train `backbone` on examples of `mix` and save it.

        Args:
            started_from: folder of the backbone where that was trained before.
            looks: at its motions while it trains; the best one's backbone is saved where they say.

        Raises:
            UserError: no clip to train on, for want of captions or else, or a batch that can't be
                divided as the hardware asks.
        """
        # Lightning takes seconds to import, which a plan, that only builds this, needn't wait for.
        from motiongpt.methods.motiongpt.training.language_module import LanguageModule
        from motiongpt.training.fit import fit
        from motiongpt.training.sharding import whole_weights

        hardware = context.hardware
        check_parts(
            self.name, self.schedule.batch_size, context.processes.world, hardware.accumulate
        )
        examples = LanguageExamples(TokenisedClips(context.store, tokens), mix)
        clips = examples.indices("train"), examples.indices("val")
        log_clips_without_captions(self.name, clips[0], context)
        context.log(
            f"  {self.name}: {len(clips[0])} training and {len(clips[1])} validation "
            f"clips, {_parameters(backbone)}"
        )
        backbone.train()  # a loaded model comes in evaluation mode, without dropout
        if hardware.checkpoint_activations:
            backbone.language_model.gradient_checkpointing_enable({"use_reentrant": False})
        if self.schedule.precision == "16-mixed":
            widen_feed_forward(backbone.language_model)
        if hardware.compile:
            compile_parts(transformer_parts(backbone))
        metrics = fit(
            self.name,
            LanguageModule(backbone, *self.optimization),
            examples,
            collator(backbone, hardware.accumulate),
            clips,
            self.schedule,
            self.seed,
            context,
            tokens.counts(WHOLE),
            () if looks is None else [callback(looks)],
        )
        weights = whole_weights(backbone.language_model, context.processes.is_first)
        if context.processes.is_first:
            if looks is None or looks.watch.keep is None:
                backbone.save(context.folder / MODEL, weights)
            else:
                context.log(f"  {self.name}: the model of step {looks.best} is kept, best on val")
                load_backbone(looks.best_folder).save(context.folder / MODEL)
                shutil.rmtree(looks.best_folder)
            metrics |= {} if looks is None else looks.metrics()
            write_training_captions(context.folder / MODEL, context.store, started_from)
        return metrics


class PretrainStage(LanguageStage):
    """Motion-language pretraining: unsupervised objectives and translation both ways.

    A backbone to start from comes with its text tokenizer.

    Args:
        backbone: a `_partial_` node of conf/backbone; codebook size and texts are added.
        codebook_size: codes of the motion tokenizer.
        objectives: shares of `PretrainingMix`.
        training: arguments of `LanguageStage`.
    """

    name = "pretrain"
    can_start: ClassVar[bool] = True

    def __init__(
        self,
        backbone: DictConfig,
        codebook_size: int,
        objectives: Mapping[str, Any],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.backbone, self.codebook_size, self.objectives = backbone, codebook_size, objectives

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """What the backbone needs."""
        return () if outlook.init_from else preflight(instantiate(self.backbone), outlook)

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Make the backbone, with motion tokens in its vocabulary, and train it.

        Raises:
            UserError: a backbone to start from that has another codebook.
        """
        tokens = TokenStore.open(context.parents["tokens"] / TOKENS)
        tokens.check_codebook(self.codebook_size)
        seed_everything(self.seed)
        if (trained := context.start.take()) is None:
            backbone = instantiate(self.backbone)(
                codebook_size=self.codebook_size, texts=list(_texts(context.store))
            )
        else:
            backbone = load_backbone(trained, self.codebook_size)
        mix = PretrainingMix(
            self.codebook_size, unsupervised_objective(backbone), **self.objectives
        )
        return self.train(backbone, mix, tokens, context, trained)


class InstructStage(LanguageStage):
    """Instruction tuning on the templates of the chosen tasks.

    Args:
        tasks: a node of conf/tasks.
        watch: settings of `Watch`; None looks at no motions.
        training: arguments of `LanguageStage`.

    Raises:
        UserError: a setting of `watch` that there is not.
    """

    name = "instruct"

    def __init__(self, tasks: DictConfig, watch: DictConfig | None = None, **training: Any) -> None:
        super().__init__(**training)
        self.tasks = tasks
        self.watch = None if watch is None else Watch(**instantiate(watch))

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train the pretrained backbone further.

        Raises:
            UserError: the tasks are for another codebook than the tokens', or a model in shards is
                to be looked at.
        """
        if self.watch is not None:
            check_strategy(context)
        tokens = TokenStore.open(context.parents["tokens"] / TOKENS)
        tokens.check_codebook(self.tasks.codebook_size)
        pretrained = Path(context.parents["pretrain"]) / MODEL
        backbone = load_backbone(pretrained, tokens.codebook_size)
        mix, looks = instantiate(self.tasks), None
        if self.watch is not None and context.processes.is_first:
            looks = looks_at(self.watch, backbone, mix, self.seed, context)
        return self.train(backbone, mix, tokens, context, pretrained, looks)


def _parameters(backbone: Backbone) -> str:
    """How many it has, in words."""
    parameters = list(backbone.parameters())
    count = sum(value.numel() for value in parameters)
    trained = sum(value.numel() for value in parameters if value.requires_grad)
    return f"{count:,} parameters" + (f", {trained:,} trained" if trained < count else "")


def _texts(store: MotionStore) -> Iterator[str]:
    """What a text tokenizer from scratch is trained on: training captions and all wordings."""
    for index in store.indices("train"):
        yield from (caption.text for caption in store.captions(int(index)))
    for kind in Templates.packaged("instructions").kinds:
        for wording in (*kind.inputs, *kind.outputs):
            yield re.sub(r"<\w+>", " ", wording)  # placeholders are never read as text
