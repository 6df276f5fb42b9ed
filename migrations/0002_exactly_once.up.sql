-- 0002 exactly once: what QoS 2 must remember through a restart (v5 section 4.3.3; broker-core/broker_qos2.cpp says how it is used).

-- Why on the queue's row: an outgoing QoS 2 message has its packet id written down before its first PUBLISH, and its PUBREC
-- before the PUBREL, because after a restart a receiver knows a repetition by nothing else. NULL, which costs a row nothing:
-- it has never left at QoS 2. Both go with the row, at PUBCOMP.
ALTER TABLE session_queue
  ADD COLUMN packet_id   integer CHECK (packet_id BETWEEN 1 AND 65535),
  ADD COLUMN is_received boolean,
  ADD CHECK ((packet_id IS NULL) = (is_received IS NULL));

-- Why: a client repeats a QoS 2 PUBLISH whose PUBREC it has not seen, also to a gateway that was restarted, and it must not be
-- routed twice. Written in the transaction of the message's rows, removed before the PUBCOMP; of sessions that outlive their
-- connection only, and at most [limits] receive_maximum each.
CREATE TABLE qos2_receipts (
  client_id text NOT NULL REFERENCES sessions ON DELETE CASCADE,
  packet_id integer NOT NULL CHECK (packet_id BETWEEN 1 AND 65535),
  PRIMARY KEY (client_id, packet_id)
);

-- Why: a QoS 2 message with receivers on several shards is stored by several batches. Until the last is in, its id is here; what
-- is here at a start was acknowledged to nobody and is removed with all its rows, as its publisher sends it again.
CREATE TABLE provisional_messages (
  message_id bigint PRIMARY KEY REFERENCES messages ON DELETE CASCADE
);
