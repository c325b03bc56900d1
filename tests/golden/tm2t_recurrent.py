"""Golden vectors of TM2T's words into codes: reading, attention, training, drawing, the way back."""

import numpy as np
import torch

from motiongpt.methods.tm2t.generating import ReadWords, draw_weights, generate_rows
from motiongpt.methods.tm2t.inverse import meant, soft_rows
from motiongpt.methods.tm2t.rows import Forcing, motion_marks, token_losses
from tests.golden.tm2t_case import ATOL, LOSSES, MANY_STEPS, Case
from tests.golden.tm2t_decoding import Watched
from tests.golden.tm2t_facts import FORCED_EPOCHS
from tests.golden.tm2t_names import recurrent_name


def check_recurrent(case: Case) -> None:
    network, words = case.recurrent, case.tensor("in/word_vectors")
    lengths, codes = case.tensor("in/text_lengths"), case.tensor("in/motion_tokens")
    marks = motion_marks(network.codes - 3)
    for name in ("start", "end", "pad"):
        case.exact({f"cfg/mot_{name}": getattr(marks, name)})
    states, last = network.words(words, lengths)
    reading = network.begin(words, lengths)
    attended, weights = network.attended(reading)
    case.compare(
        {
            "out/text_sequence": states,
            "out/text_last": last,
            "out/init_hidden": torch.stack(reading.hidden),
            "out/attended_first": attended,
            "out/attention_first": weights[..., None],
        }
    )
    forced, free = (network(words, lengths, codes[:, :-1], way) for way in (True, False))
    shorter = int(lengths[1:].max())
    without = words[1:, :shorter]
    case.compare(
        {
            "out/forced_logits": forced,
            "out/free_logits": free,
            "out/forced_logits_without_longest": network(
                without, lengths[1:], codes[1:, :-1], True
            ),
            "out/text_sequence_without_longest": network.words(without, lengths[1:])[0],
        }
    )
    for way, logits in (("forced", forced), ("free", free)):
        found = token_losses(logits, codes[:, 1:], marks.pad)
        case.compare({f"out/{way}_loss_sum": found.losses}, atol=0, rtol=LOSSES)
        case.exact({f"out/{way}_correct": found.hits})
    case.exact({"out/forced_counted": found.counted})
    loss = token_losses(forced, codes[:, 1:], marks.pad).losses
    case.gradients("grad_forced/", loss, network, recurrent_name)
    epochs = np.arange(len(case.arrays["out/tf_schedule"]))
    forcing = Forcing(0.9, 0.1, FORCED_EPOCHS)
    shares = np.array([forcing.at(int(epoch)) for epoch in epochs])
    case.compare({"out/tf_schedule": shares}, atol=LOSSES)
    _check_way_back(case)
    _check_training(case)


def _check_way_back(case: Case) -> None:
    """Codes drawn so that a gradient goes through them, read by the network of m2t.npz."""
    network, other = case.recurrent, case.beside("m2t.npz")
    marks = motion_marks(network.codes - 3)
    kept = network.embedding.weight.detach().clone()
    with torch.no_grad():
        network.embedding.weight[marks.end] = case.tensor("cycle/w_end_embedding")
    words, ids = case.tensor("in/word_vectors"), case.tensor("in/word_ids")
    gumbel = case.tensor("cycle/in_gumbel").transpose(0, 1)
    case.exact({"cycle/in_max_steps": gumbel.shape[1]})
    rows, counts = soft_rows(network, words, case.tensor("in/text_lengths"), gumbel, marks)
    translator, pad = other.translator, case.config("trg_pad")
    logits = meant(translator, rows, counts, ids, marks, pad, released=True)
    found = token_losses(logits, ids[:, 1:], pad)
    case.exact({"cycle/out_length": counts[:, None], "cycle/out_counted": found.counted})
    case.compare({"cycle/out_onehot": rows, "cycle/out_m2t_logits": logits})
    case.compare({"cycle/out_m2t_loss_sum": found.losses}, atol=0, rtol=LOSSES)
    case.gradients("cycle/grad/", found.losses, network, recurrent_name)
    with torch.no_grad():
        network.embedding.weight.copy_(kept)


def _check_training(case: Case) -> None:
    """Steps of Adam with the gradient clipped."""
    network, words = case.recurrent, case.tensor("in/word_vectors")
    lengths, codes = case.tensor("in/text_lengths"), case.tensor("in/motion_tokens")
    optimizer = torch.optim.Adam(network.parameters(), lr=case.number("in/train_lr"))
    losses, norms = [], []
    for _ in case.arrays["out/train_loss_sum"]:
        logits = network(words, lengths, codes[:, :-1], True)
        found = token_losses(logits, codes[:, 1:], motion_marks(network.codes - 3).pad)
        optimizer.zero_grad()
        found.losses.backward()
        clip = case.number("in/clip_norm")
        norms.append(float(torch.nn.utils.clip_grad_norm_(network.parameters(), clip)))
        optimizer.step()
        losses.append(float(found.losses.detach()))
    case.compare(
        {"out/train_loss_sum": np.array(losses), "out/train_grad_norm": np.array(norms)},
        atol=MANY_STEPS,
        rtol=LOSSES,
    )


@torch.no_grad()
def check_samples(case: Case) -> None:
    network, marks = case.recurrent, motion_marks(case.recurrent.codes - 3)
    words, lengths = case.tensor("in/word_vectors"), case.tensor("in/text_lengths")
    uniforms = case.tensor("in/uniforms").T
    likeliest = case.number("in/top_k")
    source = Watched(ReadWords(network, words, lengths))
    most = case.number("in/max_steps")
    found = generate_rows(source, marks, most, uniforms, likeliest)
    weights = torch.stack([draw_weights(one, marks.all, likeliest) for one in source.logits])
    wanted = case.arrays["out/weights"]
    case.report.compare(case.name, "weights", weights, wanted[: len(weights)], atol=ATOL)
    case.exact({"out/length": found.lengths.reshape(case.arrays["out/length"].shape)})
    ids = case.tensor("out/ids")
    for row, count in enumerate(found.lengths.tolist()):
        pair = found.ids[row, : count + 1], ids[row, : count + 1]
        case.report.exact(case.name, f"ids of {row}", *(one.numpy() for one in pair))
    alone = generate_rows(ReadWords(network, words[:1], lengths[:1]), marks, most, likeliest=1)
    first = case.tensor("out/greedy_ids_first").flatten()
    case.exact({"out/greedy_length_first": alone.lengths.reshape(1, 1)})
    count = int(alone.lengths[0]) + 1
    case.report.exact(
        case.name, "greedy_ids_first", alone.ids[0, :count].numpy(), first[:count].numpy()
    )
