"""Golden facts of TM2T: full-size networks, their names and sizes, and the recipes."""

from collections.abc import Mapping
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import nn

from launch.composition.build import build
from motiongpt.methods.tm2t.method import Generation
from motiongpt.methods.tm2t.rows import motion_marks
from tests.golden.recipes import configured
from tests.golden.tm2t_names import TABLE, TIED, recurrent_name, translator_name

FORCED_EPOCHS = 35
EPOCH_STEPS = {"motion_to_text": 365, "text_to_motion": 366}  # of 64 of HumanML3D's 23,384 clips
TRANSLATOR = {
    "d_model": "width",
    "d_inner": "feed_forward",
    "n_head": "heads",
    "d_k": "head_width",
    "dropout": "dropout",
    "trg_emb_prj_weight_sharing": "shared_output",
}


def check_facts(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """Compare what facts.json says with the networks and the recipes of conf/."""
    with torch.device("meta"):
        for data, features in facts["feature_dim"].items():
            _check_networks(case, data, features, facts, report)
    codes = facts["tokens"]
    marks = motion_marks(codes["codes"])
    found = [marks.start, marks.end, marks.pad]
    report.exact(case, "marks", found, [codes[name] for name in ("start", "end", "pad")])
    _check_recipes(case, facts, report)


def _check_networks(
    case: str, data: str, features: int, facts: Mapping[str, Any], report: Any
) -> None:
    wanted, counts = facts["constructors"], facts["parameters"][data]
    to_text = wanted["m2t_transformer"]["args"]
    settings = configured("translator", "tm2t")
    layers = {
        "encoder_layers": to_text["n_enc_layers"][data],
        "decoder_layers": to_text["n_dec_layers"][data],
    }
    translator = build(settings)(
        source=to_text["n_src_vocab"], target=to_text["n_trg_vocab"], **layers
    )
    for theirs, ours in TRANSLATOR.items():
        report.exact(case, f"{data} {theirs}", settings[ours], to_text[theirs])
    if data == "t2m":
        report.exact(case, "layers", [settings.encoder_layers, settings.decoder_layers],
                     list(layers.values()))  # fmt: skip
    other = wanted["t2m_transformer"]["args"]
    vectors = build(settings)(
        source=other["d_src_word_vec"],
        target=other["n_trg_vocab"],
        encoder_layers=other["n_enc_layers"],
        decoder_layers=other["n_dec_layers"],
        shared_output=other["trg_emb_prj_weight_sharing"],
        reads_vectors=True,
    )
    to_motion = wanted["t2m_model"]["args"]
    recurrent = build(configured("recurrent", "tm2t"))(
        text_width=to_motion["dim_txt"], codes=to_motion["n_mot_vocab"]
    )
    tokenizer = OmegaConf.merge(configured("tokenizer", "tm2t"), {"frames_per_token": 4})
    codec = build(tokenizer)(n_features=features)
    for name, network in (
        ("m2t_transformer", translator),
        ("t2m_transformer", vectors),
        ("t2m_model", recurrent),
        ("vq_encoder", codec.encoder),
        ("quantizer", codec.quantizer),
        ("vq_decoder", codec.decoder),
    ):
        report.exact(case, f"{data} {name} parameters", _count(network), counts[name])
    if data == "t2m":
        for name, network, rename in (
            ("m2t_transformer", translator, translator_name),
            ("t2m_transformer", vectors, translator_name),
            ("t2m_model", recurrent, recurrent_name),
        ):
            shapes = facts["state_dict_t2m"][name]
            renamed = {
                rename(one): shape
                for one, shape in shapes.items()
                if not one.endswith(TABLE) and one != TIED
            }
            ours = {one: list(tensor.shape) for one, tensor in network.state_dict().items()}
            report.exact(case, f"{name} weights", ours, renamed)


def _check_recipes(case: str, facts: Mapping[str, Any], report: Any) -> None:
    """The paper's stages of conf/ against the released training."""
    to_text, to_motion = (configured("stage", f"{name}_paper") for name in ("tm2t_to_text", "tm2t"))
    for kind, stage, recipe in (
        ("motion_to_text", to_text, facts["training_m2t"]),
        ("text_to_motion", to_motion, facts["training_t2m"]),
    ):
        steps = recipe["epochs"] * EPOCH_STEPS[kind]
        for name, ours, expected in (
            ("learning rate", stage.learning_rate, recipe["lr"]),
            ("betas", list(stage.optimizer.betas), recipe["betas"]),
            ("batch", stage.schedule.batch_size, recipe["batch"]),
            ("steps", stage.schedule.steps, steps),
            ("words", stage.most_words, facts["text_encoder"]["max_words"]),
            ("codes", stage.most_codes + 3, facts["tokens"]["row_length"]),
        ):
            report.exact(case, f"{kind} {name}", ours, expected)
        drop = facts["tokens"]["drop_one_token_probability"].partition(",")[0]
        report.compare(case, f"{kind} dropped code", stage.drop_probability, _fraction(drop), 1e-6)
    to_motion_facts = facts["training_t2m"]
    clip = to_motion_facts["gradient_clip_norm"]
    report.exact(case, "gradient clip", to_motion.schedule.gradient_clip, clip)
    forced = FORCED_EPOCHS * EPOCH_STEPS["text_to_motion"]
    report.exact(case, "epochs of forcing", to_motion.forcing.steps, forced)
    drawn = to_motion_facts["gumbel_max_steps"]
    report.exact(case, "drawn codes", to_motion.drawn_codes, drawn)
    generation, inference = Generation(), facts["inference"]
    found = [generation.likeliest, generation.most_codes, generation.beams, generation.most_words]
    beams = inference["m2t_beam"]
    expected = [*inference["t2m"].values(), beams["beam_size"], beams["max_len"]]
    report.exact(case, "generation", found, expected)


def _fraction(words: str) -> float:
    above, below = words.split("/")
    return int(above) / int(below)


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
