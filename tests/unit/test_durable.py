"""durable.py: files that several write at a time."""

import threading
from pathlib import Path

from tallystick.storage.durable import replace_file

WRITERS, TIMES = 4, 50


def test_replace_file__shared_by_threads__none_fails_and_it_is_one_of_theirs(
    tmp_path: Path,
) -> None:
    path, together = tmp_path / "file", threading.Barrier(WRITERS)
    contents = [bytes([number]) * 10_000 for number in range(WRITERS)]
    failures: list[Exception] = []

    def write(content: bytes) -> None:
        for _ in range(TIMES):
            together.wait()
            try:
                replace_file(path, content, shared=True)
                assert path.read_bytes() in contents
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert list(tmp_path.iterdir()) == [path]
