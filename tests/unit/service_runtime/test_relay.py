"""Keys lie where Kafka's Java client would put them."""

import pytest
from service_runtime.relay import partition_of

# From Kafka's own tests: clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2.
MURMUR2 = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("partitions", [1, 2, 12, 100])
@pytest.mark.parametrize("key", MURMUR2)
def test_a_key_lies_where_javas_client_would_put_it(key: bytes, partitions: int) -> None:
    every = list(range(partitions))

    assert partition_of(key, every, every) == (MURMUR2[key] & 0x7FFFFFFF) % partitions


def test_a_partition_without_a_leader_does_not_move_keys_elsewhere() -> None:
    assert partition_of(b"foobar", range(12), [0]) == partition_of(b"foobar", range(12), range(12))
