from hashlib import sha256
from pathlib import Path

from local_stack.kafka_jars import KAFKA, LOCK_FILE, Jar, locked_jars


def test_every_locked_jar_has_a_checksum() -> None:
    jars = list(locked_jars(LOCK_FILE.read_text()))

    assert f"kafka_2.13-{KAFKA}.jar" in {jar.file_name for jar in jars}
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)


def test_no_two_locked_jars_share_a_file_name() -> None:
    names = [jar.file_name for jar in locked_jars(LOCK_FILE.read_text())]

    assert len(names) == len(set(names))


def test_the_lock_says_where_nothing_comes_from() -> None:
    assert "//" not in LOCK_FILE.read_text()


def test_a_file_is_a_jar_only_if_it_has_the_locked_checksum(tmp_path: Path) -> None:
    file = tmp_path / "a-1.jar"
    jar = Jar("group", "a", "1", sha256(b"as published").hexdigest())

    assert not jar.is_in(file)
    file.write_bytes(b"as published")
    assert jar.is_in(file)
    file.write_bytes(b"half of it")
    assert not jar.is_in(file)
