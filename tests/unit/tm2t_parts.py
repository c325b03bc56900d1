"""Small untrained parts of TM2T for tests."""

import torch

from motiongpt.methods.tm2t.folder import TrainedToText
from motiongpt.methods.tm2t.method import TM2T, Generation
from motiongpt.methods.tm2t.seq2seq import WordsToCodes
from motiongpt.methods.tm2t.translator import Translator
from motiongpt.methods.tm2t.vocabulary import Vocabulary
from tests.unit.mdm_parts import FakeWords
from tests.unit.mld_parts import TEXT_WIDTH
from tests.unit.tiny_models import CODES, tiny_tokenizer

CAPTIONS = ("a man walks.", "a woman runs, then jumps.", "someone doesn't move")
VOCABULARY = Vocabulary.of(CAPTIONS)


def small_translator(**changes: object) -> Translator:
    torch.manual_seed(2)
    sizes = {"source": CODES + 3, "target": len(VOCABULARY), "width": 16, "feed_forward": 24}
    layers = {"encoder_layers": 1, "decoder_layers": 2, "heads": 2, "head_width": 6, "dropout": 0.0}
    return Translator(**{**sizes, **layers, **changes}).eval()


def small_recurrent(**changes: object) -> WordsToCodes:
    torch.manual_seed(3)
    sizes = {"text_width": TEXT_WIDTH, "codes": CODES + 3, "text_hidden": 8, "width": 12}
    return WordsToCodes(**{**sizes, **changes}).eval()


def small_method(**options: object) -> TM2T:
    to_text = TrainedToText(small_translator(), VOCABULARY)
    chosen = Generation(**{"most_codes": 12, "most_words": 9, **options})
    return TM2T(tiny_tokenizer(), to_text, small_recurrent(), FakeWords(), chosen)
