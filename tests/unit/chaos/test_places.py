"""Every failpoint gets its turn, where it can be reached."""

from collections import Counter
from random import Random

from service_runtime.failpoints import PLACES, _read

from tests.chaos.evidence import TOPICS
from tests.chaos.places import ONLY, arm, deadly


def test_every_place_gets_its_turn_and_only_where_it_is_passed() -> None:
    rng, died = Random(1), Counter[str]()  # noqa: S311  # no secret
    for number in range(3_000):
        service = list(TOPICS.values())[number % len(TOPICS)]
        armed = arm(rng, service, died)
        _read(armed)
        if place := deadly(armed):
            died[place] += 1
            assert service in ONLY.get(place, {service})

    assert min(died[place] for place in PLACES) > 50


def test_what_is_hit_seldom_comes_first() -> None:
    often = Counter(dict.fromkeys(PLACES, 1_000))
    often["relay.after_delete"] = 0
    rng = Random(1)  # noqa: S311  # no secret

    chosen = Counter(deadly(arm(rng, "file_service", often)) for _ in range(200))

    assert chosen.keys() == {"relay.after_delete", None}
