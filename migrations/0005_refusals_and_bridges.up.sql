-- 0005 refusals and bridges: what was promised to be never silent, and what a bridge must undo.

-- A session whose queue was full and did not take a message: for GET /v1/messages/{id}/trace. No key to messages, because
-- nobody may have taken it. The gateway writes a bounded number for each time that a queue is full, and the sweep removes them
-- with the trace's age.
CREATE TABLE refusals (
  message_id bigint NOT NULL,
  client_id  text NOT NULL,
  topic      text NOT NULL,
  at         timestamptz NOT NULL,               -- when the message was published
  PRIMARY KEY (message_id, client_id)
);
CREATE INDEX refusals_at ON refusals (at);

-- Every filter that a bridge has ever asked the other broker for. Its session there lives on when a line is taken out of the
-- configuration, so what is here and not there is unsubscribed at each connection. Removed with the bridge.
CREATE TABLE bridge_filters (
  bridge text NOT NULL,
  filter text NOT NULL
);
CREATE UNIQUE INDEX bridge_filters_key ON bridge_filters (bridge, (md5(filter)::uuid));
