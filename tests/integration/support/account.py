"""The account of the kill test: what publishers were promised against what each receiver saw. Pure."""


class Account:
    """`promised` and `sent`: publisher -> sequence numbers in order; `sights`: receiver -> publisher -> every sequence
    number that arrived, repeats included, in the order of arrival."""

    def __init__(self):
        self.promised = {}
        self.sights = {}

    def see(self, receiver, publisher, number):
        self.sights.setdefault(receiver, {}).setdefault(publisher, []).append(number)

    def missing(self, receiver, publisher):
        return sorted(set(self.promised[publisher]) - set(self.sights.get(receiver, {}).get(publisher, ())))

    def is_complete(self, owed):
        return all(not self.missing(receiver, publisher) for receiver, publisher in owed)

    def complaints(self, owed):
        """One line per breach, for `owed`: (receiver, publisher) pairs. None: the promise was kept."""
        found = []
        for receiver, publisher in owed:
            missing = self.missing(receiver, publisher)
            if missing:
                found.append(f"{receiver} never saw {len(missing)} acknowledged messages of {publisher}: {missing[:10]}")
            sights = self.sights.get(receiver, {}).get(publisher, [])
            first_sights = list(dict.fromkeys(sights))
            for earlier, later in zip(first_sights, first_sights[1:]):
                if later < earlier:
                    at = sights.index(later)
                    found.append(f"{receiver} first saw {publisher}'s {later} after its {earlier}: "
                                 f"… {sights[max(0, at - 30):at + 10]} …")
        return found


def ledger_complaints(phone, requests, promised, resent):
    """For a phone that was away all the time. phone: its screen at the simulator; requests: the simulator's log for its
    token; promised: payloads that were acknowledged; resent: payload -> how often its publisher sent it again, unaware."""
    found = []
    shown = [n["wake_id"] for n in phone["notifications"]]
    for wake_id in {w for w in shown if shown.count(w) > 1}:
        found.append(f"message {wake_id} is on the screen {shown.count(wake_id)} times")
    ids, of_payload = {}, {}
    for entry in requests:
        wake = entry["wake"]
        ids.setdefault(wake["id"], set()).add(entry["notification_id"])
        of_payload.setdefault(wake["payload"], set()).add(wake["id"])
    found += [f"message {wake_id} was pushed under {len(several)} ids" for wake_id, several in ids.items()
              if len(several) > 1]
    found += [f"no push for the acknowledged {payload}" for payload in promised
              if not of_payload.get(payload, set()) & set(shown)]
    found += [f"{payload} was pushed as {len(messages)} messages" for payload, messages in of_payload.items()
              if len(messages) > 1 + resent.get(payload, 0)]
    return found
