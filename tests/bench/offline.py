"""QoS 1 to sessions that are away: what a PUBACK costs when it promises that the message is kept, and whether
the promise holds when the broker is killed (SIGKILL) right after the last one."""
import statistics
import sys

import brokers
import load
from process import log_end

NAME = "offline QoS 1"
MESSAGES, QUICK_MESSAGES = 40_000, 10_000
SESSIONS, PUBLISHERS = 10, 4


def measure(contenders, folder, chosen):
    """[(broker name, {figure: median})]; the floor keeps nothing and has no place here."""
    takers = [broker for broker in contenders.all if broker.name != brokers.FLOOR]
    rounds = {broker.name: [] for broker in takers}
    for number in range(chosen.rounds):
        for broker in takers:
            figures = _one(broker, folder / "acknowledged", QUICK_MESSAGES if chosen.quick else MESSAGES)
            rounds[broker.name].append(figures)
            print(f"round {number + 1}  {NAME}  {broker.name:16} {figures['us']:8.3f} µs a PUBACK, "
                  f"{figures['lost']:.0f} lost", file=sys.stderr, flush=True)
    return [(name, {key: statistics.median(each[key] for each in taken) for key in taken[0]})
            for name, taken in rounds.items()]


def _one(broker, acknowledged, messages):
    target = broker.target()
    common = ["--subs", SESSIONS, "--pubs", PUBLISHERS, "--messages", messages, "--acklog", acknowledged]
    counted = ["--count-pid", ",".join(map(str, target.counted))] if target.counted else []
    sent = load.run(["offline", "--phase", "publish", *common, "--port", target.port, "--broker-pid", target.pid,
                     *counted, "--kill", 1])
    if sent["acked"] != messages or not sent["killed"]:
        raise load.LoadFailed(f"{broker.name}, {NAME}: {sent['acked']} of {messages} acknowledged; {log_end(broker.log)}")
    broker.start_again()
    target = broker.target()
    # Brokers without storage have lost all by now: no use waiting long for it.
    drained = load.run(["offline", "--phase", "drain", *common, "--port", target.port, "--broker-pid", target.pid,
                        "--drain-timeout", 3 if target.counted else 0.5])
    wrong = {name: drained[name] for name in ("lost", "duplicated", "out_of_order", "misrouted", "bad") if drained[name]}
    if target.counted and wrong:
        raise load.LoadFailed(f"{broker.name}, {NAME}, after kill -9: these must be 0: {wrong}; {log_end(broker.log)}")
    return {"acked_per_s": sent["puback_per_s"], "us": sent["cpu_us_per_puback"],
            "database_us": sent["counted_cpu_us_per_puback"], "ack_p50_ms": sent["ack_latency_us"]["p50"] / 1e3,
            "ack_p99_ms": sent["ack_latency_us"]["p99"] / 1e3, "lost": drained["lost"], "acked": sent["acked"],
            "drained_per_s": drained["drain_per_s"]}
