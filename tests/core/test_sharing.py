"""Shares of whole numbers: exact, and nothing is lost."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core.sharing import shared_out

quantities = st.decimals(0, 10**9, places=6)


@given(
    whole=st.integers(0, 10**17), weights=st.lists(quantities, min_size=1, max_size=30)
)
def test_shares_add_up_to_the_whole(whole: int, weights: list[Decimal]) -> None:
    shares = shared_out(whole, weights)

    assert sum(shares) == whole
    assert all(share >= 0 for share in shares)


@given(
    whole=st.integers(0, 10**17),
    weights=st.lists(st.integers(1, 10**9), min_size=1, max_size=30),
)
def test_each_share_is_within_one_of_its_exact_part(
    whole: int, weights: list[int]
) -> None:
    shares = shared_out(whole, [Decimal(one) for one in weights])

    total = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * total - whole * weight) < total


def test_without_quantities_all_are_equal() -> None:
    assert shared_out(10, [Decimal(0), Decimal(0)]) == (5, 5)
