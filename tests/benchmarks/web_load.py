"""Many visitors of the page at once, and many requests one after the other.

python -m tests.benchmarks.web_load small --visitors 20 --requests 300

Prints latencies, the share of errors, and the memory of server and worker on the way. One machine
is server and visitors alike, so latencies are upper bounds.
"""

import argparse
import socket
import statistics
import threading
import time

import psutil
from gradio_client import Client

from motiongpt.web.limits import Limits
from motiongpt.web.serving import Address, running

SENTENCE = "a person walks forward"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="+")
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each motion")
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    with running(options.model, Address(port=port), Limits(seconds=300), device="cpu") as url:
        print(f"up after {time.perf_counter() - begun:.1f} s", flush=True)
        at_once(url, options.visitors, options.seconds)
        leaving(url, options.seconds)
        flat(url, options.requests, options.seconds)


def asked(client: Client, seconds: float) -> str:
    """One request; the last line of the chat."""
    found = client.predict(SENTENCE, seconds, 1, "", True, [], api_name="/ask")
    last = found[1][-1]["content"]
    return last if isinstance(last, str) else last[0]["text"]


def visitor(url: str) -> Client:
    return Client(url, verbose=False, download_files=False)


def at_once(url: str, visitors: int, seconds: float) -> None:
    clients = [visitor(url) for _ in range(visitors)]
    gate, lines = threading.Barrier(visitors), [("", 0.0)] * visitors

    def go(index: int) -> None:
        gate.wait()
        begun = time.perf_counter()
        try:
            line = asked(clients[index], seconds)
        except Exception as error:
            line = f"error {error!r}"
        lines[index] = (line, time.perf_counter() - begun)

    threads = [threading.Thread(target=go, args=(index,)) for index in range(visitors)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    wrong = [line for line, _ in lines if "seed" not in line]
    taken = sorted(took for _, took in lines)
    print(
        f"{visitors} at once: {len(wrong)} errors, median {statistics.median(taken):.1f} s, "
        f"worst {taken[-1]:.1f} s {wrong[:2]}",
        flush=True,
    )


def leaving(url: str, seconds: float) -> None:
    """Ten ask and leave at once; the next one does not wait for them."""
    clients = [visitor(url) for _ in range(10)]
    jobs = [one.submit(SENTENCE, seconds, 1, "", True, [], api_name="/ask") for one in clients]
    for one, job in zip(clients, jobs, strict=True):
        job.cancel()
        one.close()
    begun = time.perf_counter()
    line = asked(visitor(url), seconds)
    print(f"after ten who left: {time.perf_counter() - begun:.1f} s, {line}", flush=True)


def flat(url: str, requests: int, seconds: float) -> None:
    client, process = visitor(url), psutil.Process()
    for number in range(requests + 1):
        if number % max(1, requests // 10) == 0:
            parts = [process, *process.children(recursive=True)]
            sizes = "  ".join(f"{one.memory_info().rss / 1e6:.0f}" for one in parts)
            print(f"{number} requests: MB of each process {sizes}", flush=True)
        line = asked(client, seconds)
        assert "seed" in line, line


if __name__ == "__main__":
    main()
