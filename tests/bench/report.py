"""Results to Markdown, and Markdown into the document."""
import datetime
import statistics

import brokers
import load

BEGIN, END = "<!-- bench begin: written by `./dev bench --write` -->", "<!-- bench end -->"


def render(results, away, commit, chosen):
    head = (f"Commit `{commit}`, {datetime.date.today().isoformat()}, "
            f"{'median of %d' % chosen.rounds if chosen.rounds > 1 else 'one round'}"
            f"{', --quick' if chosen.quick else ''}. "
            "No message lost, repeated or out of order in any run of the first table.")
    parts = [head, _cpu_table(results), _latency_table(results)]
    if away:
        parts.append(_away_table(away))
    return "\n\n".join(part for part in parts if part)


def compare(results, away):
    """Two builds, called A and B, with one shard and with two."""
    head, lines = ["CPU µs a message", "QoS"], []
    for shards in ("1 shard", "2 shards"):
        head += [f"A {shards}", f"B {shards}", "B ÷ A"]

    def line(name, qos, cost):
        cells = [name, qos]
        for shards in ("1 shard", "2 shards"):
            before, after = cost(f"A {shards}"), cost(f"B {shards}")
            cells += [_digits(before), _digits(after), f"{after / before:.2f}"]
        return cells

    for (row, qos), of_row in results.items():
        lines.append(line(row, str(qos), lambda name: _median(of_row, name, lambda result: result["cpu_us_per_msg"])))
    if away:
        lines.append(line("offline, a PUBACK", "1", lambda name: dict(away)[name]["us"]))
    return _table(head, lines)


def write(document, text):
    whole = document.read_text(encoding="utf-8")
    before, _, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"bench: {document} lacks the markers '{BEGIN}' and '{END}'")
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def _median(of_row, broker, figure):
    return statistics.median(figure(result) for result in of_row[broker])


def _cpu_table(results):
    """µs of CPU for a delivered message; WakeMQ also as a multiple of its neighbours."""
    if not results:
        return ""
    names = list(next(iter(results.values())))
    ours = [name for name in names if name not in (brokers.FLOOR, brokers.MOSQUITTO)]
    head = ["CPU µs per delivered message", "QoS", brokers.FLOOR, brokers.MOSQUITTO]
    for name in ours:
        head += [name, "÷ Mosquitto", "÷ floor"]
    lines = []
    for (row, qos), of_row in results.items():
        cost = {name: _median(of_row, name, lambda result: result["cpu_us_per_msg"]) for name in names}
        saturated = next(each.is_saturated for each in load.ROWS if each.name == row)
        line = [row + (", saturated" if saturated else ""), str(qos), _digits(cost[brokers.FLOOR]),
                _digits(cost[brokers.MOSQUITTO])]
        for name in ours:
            line += [f"**{_digits(cost[name])}**", f"{cost[name] / cost[brokers.MOSQUITTO]:.2f}",
                     f"{cost[name] / cost[brokers.FLOOR]:.1f}"]
        lines.append(line)
    return _table(head, lines)


def _latency_table(results):
    """Only where the rate is fixed: elsewhere latency is the length of the queue."""
    fixed = {row.name for row in load.ROWS if not row.is_saturated}
    lines = []
    for (row, qos), of_row in results.items():
        if row not in fixed:
            continue
        for name in of_row:
            lines.append([f"{row}, QoS {qos}", name] + [
                f"{_median(of_row, name, lambda result: result['latency_us'][key]) / 1e3:.2f}"
                for key in ("p50", "p99", "p999")])
    return _table(["latency, ms", "broker", "p50", "p99", "p99.9"], lines) if lines else ""


def _away_table(away):
    lines = [[name, f"{got['acked_per_s']:,.0f}", f"{got['us'] - got['database_us']:.2f}", f"{got['database_us']:.2f}",
              f"{got['us']:.2f}", f"{got['ack_p50_ms']:.1f}", f"{got['ack_p99_ms']:.1f}",
              f"{got['lost']:,.0f} of {got['acked']:,.0f}", f"{got['drained_per_s']:,.0f}" if got["lost"] == 0 else "-"]
             for name, got in away]
    return _table(["offline, QoS 1: 4 publishers to 10 absent sessions", "PUBACK/s", "µs per PUBACK: broker",
                   "PostgreSQL", "together", "PUBACK p50, ms", "p99, ms", "lost after kill -9", "drained/s"], lines)


def _digits(value):
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _table(head, lines):
    rule = ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines])
