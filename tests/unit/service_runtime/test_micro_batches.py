"""What was fetched is delivered in micro-batches: in order, no larger than asked for, and as few as possible."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st
from service_runtime.messages import micro_batches

FIRST, SECOND = TopicPartition("t", 0), TopicPartition("t", 1)


@pytest.mark.parametrize(
    ("fetched", "batches"),
    [
        ({}, []),
        ({FIRST: [1, 2, 3]}, [{FIRST: [1, 2]}, {FIRST: [3]}]),
        ({FIRST: [1], SECOND: [2]}, [{FIRST: [1], SECOND: [2]}]),
        ({FIRST: [1, 2], SECOND: [3]}, [{FIRST: [1, 2]}, {SECOND: [3]}]),
        ({FIRST: [1, 2, 3], SECOND: [4, 5, 6]}, [{FIRST: [1, 2]}, {FIRST: [3], SECOND: [4]}, {SECOND: [5, 6]}]),
    ],
)
def test_a_micro_batch_is_filled_from_one_partition_after_the_other(fetched: Any, batches: Any) -> None:
    assert list(micro_batches(fetched, 2)) == batches


@given(sizes=st.lists(st.integers(1, 30), max_size=6), most=st.integers(1, 12))
def test_every_record_is_in_one_micro_batch_and_all_but_the_last_are_full(sizes: list[int], most: int) -> None:
    fetched: Any = {TopicPartition("t", each): [(each, n) for n in range(size)] for each, size in enumerate(sizes)}

    batches = list(micro_batches(fetched, most))

    assert [r for batch in batches for records in batch.values() for r in records] == [
        r for records in fetched.values() for r in records
    ]
    assert all(sum(map(len, batch.values())) == most for batch in batches[:-1])
    assert all(0 < sum(map(len, batch.values())) <= most for batch in batches)
