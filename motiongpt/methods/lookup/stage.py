"""The stage that leaves what lookup copies from; nothing is trained."""

from collections.abc import Mapping

from motiongpt.data.training_captions import write_training_captions
from motiongpt.methods.lookup.memory import Memory
from motiongpt.training.stage import MODEL, Stage, StageContext


class LookupStage(Stage):
    """Leaves `model/lookup.json` and small arrays; the clips stay in their store."""

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Index the training split's captions, and count what there is to copy.

        Raises:
            UserError: the training split has no clips.
        """
        memory = Memory.build(context.store)
        memory.save(context.folder / MODEL)
        write_training_captions(context.folder / MODEL, context.store)
        clips, captions = len(memory), len(memory.index)
        context.log(f"  lookup: {clips} training clips, {captions} captions")
        return {
            "clips": float(clips),
            "captions": float(captions),
            "words": float(len(memory.index.words)),
        }
