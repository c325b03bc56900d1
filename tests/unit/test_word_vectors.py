"""Word vectors of the T2M evaluator: published files, other files, and those not to trust."""

import pickle

import numpy as np
import pytest

from evaluation.evaluators.parts_of_speech import CATEGORIES
from evaluation.evaluators.word_vectors import WordVectors
from motiongpt.errors import UserError
from tests.unit.test_t2m_evaluator import SIZES, VOCABULARY, Malicious, word_vectors, write_words


@pytest.mark.parametrize(
    ("token", "row", "category"),
    [
        ("man/NOUN", "man", "NOUN"),
        ("walk/VERB", "walk", "Act_VIP"),
        ("left/ADV", "left", "Loc_VIP"),
        ("slowly/ADV", "slowly", "Desc_VIP"),
        ("man/PUNCT", "man", "OTHER"),
        ("and/or/ADV", "and/or", "ADV"),
        ("jump/VERB", "unk", "OTHER"),
        ("giraffe/NOUN", "unk", "OTHER"),
    ],
)
def test_vector_and_category_of_a_token(token, row, category):
    words = word_vectors()
    vectors, categories = words.embed([token])
    np.testing.assert_array_equal(vectors[0], words.vectors[words.indices[row]].astype(np.float32))
    assert categories.shape == (1, 15) and categories.sum() == 1
    assert CATEGORIES[int(categories[0].argmax())] == category


def test_a_token_without_a_tag_is_refused():
    with pytest.raises(UserError, match="'man' has no part of speech"):
        word_vectors().embed(["man"])


def test_published_words_are_read(tmp_path):
    words = WordVectors.open(write_words(tmp_path / "glove"))
    np.testing.assert_array_equal(
        words.embed(["man/NOUN"])[0], word_vectors().embed(["man/NOUN"])[0]
    )


def test_a_text_file_is_read(tmp_path):
    path = tmp_path / "glove.3d.txt"
    path.write_text("unk 0 0 1\nman .5 -1 2e-1\n. . . 1 2 3\n")
    words = WordVectors.open(path)
    assert words.width == 3 and set(words.indices) == {"unk", "man", ". . ."}
    np.testing.assert_allclose(words.embed(["man/NOUN"])[0], [[0.5, -1, 0.2]])
    path.write_text("unk 0 0 1\nman .5\n")
    with pytest.raises(UserError, match="line 2"):
        WordVectors.open(path)


def test_absent_words_say_how_to_get_them(tmp_path):
    with pytest.raises(UserError, match=r"our_vab_data\.npy.*glove\.zip") as error:
        WordVectors.open(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["our_vab_words.pkl", "our_vab_idx.pkl"])
def test_a_malicious_pickle_of_words_is_refused_and_does_nothing(tmp_path, name):
    folder, trace = write_words(tmp_path / "glove"), tmp_path / "trace"
    (folder / name).write_bytes(pickle.dumps(["unk", Malicious(trace)]))
    with pytest.raises(UserError, match=f"{name}.*mkdir.*not loaded"):
        WordVectors.open(folder)
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps(VOCABULARY)[:-9]])
def test_a_damaged_pickle_is_refused(tmp_path, content):
    folder = write_words(tmp_path / "glove")
    (folder / "our_vab_words.pkl").write_bytes(content)
    with pytest.raises(UserError, match="our_vab_words"):
        WordVectors.open(folder)


def test_words_and_vectors_must_fit(tmp_path):
    folder = write_words(tmp_path / "glove")
    np.save(folder / "our_vab_data.npy", np.zeros((3, 5)))
    with pytest.raises(UserError, match="row 3; expected 0 to 2"):
        WordVectors.open(folder)
    np.save(folder / "our_vab_data.npy", np.array([Malicious(tmp_path / "trace")]), True)
    with pytest.raises(UserError, match="not an array"):
        WordVectors.open(folder)
    assert not (tmp_path / "trace").exists()
    with pytest.raises(UserError, match="unk"):
        WordVectors.open(write_words(folder, VOCABULARY[1:]))


def test_word_vectors_that_are_no_numbers_are_refused(tmp_path):
    folder = write_words(tmp_path / "glove")
    np.save(folder / "our_vab_data.npy", np.full((len(VOCABULARY), SIZES.word), np.nan))
    with pytest.raises(UserError, match="row 0 holds NaN"):
        WordVectors.open(folder)
