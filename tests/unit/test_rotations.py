import pytest
import torch

from motiongpt.motion.rotations import (
    between,
    conjugate,
    cross,
    matrix_from_6d,
    multiply,
    quaternion_to_6d,
    relative,
    rotate,
    turn_about_y,
    unit,
)

AXES = torch.cat((torch.eye(3), -torch.eye(3))).double()


@pytest.fixture
def quaternions():
    random = torch.Generator().manual_seed(0)
    return unit(torch.randn(2, 50, 4, generator=random, dtype=torch.float64))


@pytest.fixture
def vectors():
    return torch.randn(50, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_rotating_is_multiplying_from_both_sides(quaternions, vectors):
    q = quaternions[0]
    pure = torch.cat((torch.zeros(50, 1, dtype=torch.float64), vectors), dim=-1)
    expected = multiply(multiply(q, pure), conjugate(q))[:, 1:]
    torch.testing.assert_close(rotate(q, vectors), expected)


def test_product_applies_the_second_first(quaternions, vectors):
    p, q = quaternions
    torch.testing.assert_close(rotate(multiply(p, q), vectors), rotate(p, rotate(q, vectors)))


def test_relative_leads_from_the_first_to_the_second(quaternions):
    p, q = quaternions
    torch.testing.assert_close(multiply(p, relative(p, q)), q)


def test_quarter_turn_about_y_takes_ahead_to_the_left():
    half = 2**-0.5
    turned = rotate(torch.tensor([half, 0, half, 0]), torch.tensor([0.0, 0.0, 1.0]))
    torch.testing.assert_close(turned, torch.tensor([1.0, 0.0, 0.0]))


def test_turn_about_y_is_rotate(quaternions, vectors):
    q = unit(quaternions[0] * torch.tensor([1, 0, 1, 0]))
    torch.testing.assert_close(turn_about_y(q, vectors), rotate(q, vectors))


def test_between_takes_start_to_end(vectors):
    start, end = unit(vectors), unit(vectors.roll(1, 0))
    torch.testing.assert_close(rotate(between(start, end), start), end)


def test_between_opposite_vectors_is_half_a_turn():
    start = torch.cat((AXES, unit(torch.ones(1, 3).double())))
    turn = between(start, -start)
    torch.testing.assert_close(turn.norm(dim=-1), torch.ones(7).double())
    torch.testing.assert_close(rotate(turn, start), -start)


def test_6d_holds_two_columns_of_the_matrix(quaternions, vectors):
    matrix = matrix_from_6d(quaternion_to_6d(quaternions[0]))
    torch.testing.assert_close(
        (matrix @ vectors[..., None])[..., 0], rotate(quaternions[0], vectors)
    )


def test_6d_ignores_a_quaternions_length(quaternions):
    torch.testing.assert_close(quaternion_to_6d(3 * quaternions), quaternion_to_6d(quaternions))


def test_any_6d_vector_gives_a_rotation():
    random = torch.Generator().manual_seed(2)
    matrix = matrix_from_6d(torch.randn(30, 6, generator=random, dtype=torch.float64))
    torch.testing.assert_close(matrix @ matrix.mT, torch.eye(3).double().expand(30, 3, 3))
    torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(30).double())


def test_components_may_lie_along_any_dimension(quaternions, vectors):
    p, q = quaternions
    for function, arguments in (
        (multiply, (p, q)),
        (relative, (p, q)),
        (rotate, (q, vectors)),
        (cross, (vectors, vectors.roll(1, 0))),
        (between, (unit(vectors), unit(vectors.roll(1, 0)))),
        (quaternion_to_6d, (q,)),
    ):
        first = function(*(argument.T for argument in arguments), dim=0)
        torch.testing.assert_close(first.T, function(*arguments))
