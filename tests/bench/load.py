"""The scenarios, and one run of mqttload: its figures, or why they do not count."""
import dataclasses
import json
import subprocess

from process import log_end

MQTTLOAD = None  # path of the program


class LoadFailed(Exception):
    """A message was lost, repeated or went astray, or mqttload gave up."""


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    arguments: tuple
    route: str  # what the floor looks at: "all", or "exact" topics
    is_saturated: bool = True


ROWS = (
    Row("fan-out 1 to 100", ("fanout", "--pubs", "1", "--subs", "100"), "all"),
    Row("fan-in 100 to 1", ("fanin", "--pubs", "100", "--subs", "1"), "all"),
    Row("100 pairs", ("p2p", "--pairs", "100"), "exact"),
    Row("500 pairs at 5,000/s", ("p2p", "--pairs", "500", "--rate", "5000"), "exact", is_saturated=False),
)

MUST_BE_ZERO = ("lost", "duplicated", "out_of_order", "misrouted", "bad", "disconnects", "conn_failed", "stalls")


def run(arguments, timeout_s=60):
    """The JSON object that mqttload ends with. Its own status 1 (something lost) is left to the caller."""
    command = [str(word) for word in (MQTTLOAD, *arguments, "--max-time", timeout_s - 10)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    lines = done.stdout.strip().splitlines()
    if done.returncode not in (0, 1) or not lines or not lines[-1].startswith("{"):
        raise LoadFailed(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip() or done.stdout}")
    return json.loads(lines[-1])


def run_row(row, qos, broker, is_quick):
    """One measurement. CPU is the broker's with all its threads, and its PostgreSQL's if it has one."""
    target = broker.target(row.route)
    warmup, duration = ("0.3", "0.7") if is_quick else ("0.3", "1.5")
    arguments = [*row.arguments, "--qos", qos, "--port", target.port, "--warmup", warmup, "--duration", duration,
                 "--broker-pid", target.pid]
    if target.counted:
        arguments += ["--count-pid", ",".join(map(str, target.counted))]
    result = run(arguments)
    wrong = {name: result[name] for name in MUST_BE_ZERO if result.get(name, 0) != 0}
    if wrong or result["rc"] != 0 or result["received"] == 0:
        raise LoadFailed(f"{broker.name}, {row.name}, QoS {qos}: these must be 0: {wrong}; {log_end(broker.log)}")
    return result
