-- What the commit queue runs, in this order, as one transaction (db/commit_statements.cpp). Every statement takes columns as
-- arrays and may be repeated after a COMMIT with unknown outcome without changing anything. Rows whose session, user, phone or
-- message is gone meanwhile are skipped (of a queue: left to the sweep when it is the message that is gone), a gone entry becomes
-- NULL: nothing that happens beside it fails the transaction.

-- name: purge_sessions
DELETE FROM sessions WHERE client_id = ANY ($1::text[])

-- name: store_sessions
-- $6: our node number, -1 for none.
INSERT INTO sessions (client_id, principal_kind, principal_id, expiry_s, ends_at, node)
SELECT n.*, nullif($6::integer, -1)
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[])
  AS n (client_id, principal_kind, principal_id, expiry_s, ends_at)
ON CONFLICT (client_id) DO UPDATE SET
  principal_kind = excluded.principal_kind, principal_id = excluded.principal_id,
  expiry_s = excluded.expiry_s, ends_at = excluded.ends_at, node = excluded.node

-- name: remove_subscriptions
DELETE FROM subscriptions s USING unnest($1::text[], $2::text[]) AS gone (client_id, filter)
WHERE s.client_id = gone.client_id AND s.filter = gone.filter
  AND md5(s.filter)::uuid = md5(gone.filter)::uuid

-- name: store_subscriptions
INSERT INTO subscriptions (client_id, filter, qos, no_local, retain_as_published, retain_handling, subscription_id)
SELECT n.*
FROM unnest($1::text[], $2::text[], $3::smallint[], $4::boolean[], $5::boolean[], $6::smallint[], $7::bigint[])
  AS n (client_id, filter, qos, no_local, retain_as_published, retain_handling, subscription_id)
WHERE EXISTS (SELECT FROM sessions s WHERE s.client_id = n.client_id)
ON CONFLICT (client_id, (md5(filter)::uuid)) DO UPDATE SET
  filter = excluded.filter, qos = excluded.qos, no_local = excluded.no_local,
  retain_as_published = excluded.retain_as_published, retain_handling = excluded.retain_handling,
  subscription_id = excluded.subscription_id

-- name: store_messages
-- Several shards and nodes may store the same message: same id, same content.
INSERT INTO messages (id, topic, payload, qos, retain, properties, publisher, at, expires_at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::smallint[], $5::boolean[], $6::bytea[], $7::text[],
                     $8::timestamptz[], $9::timestamptz[])
ON CONFLICT (id) DO NOTHING

-- name: lock_sessions
-- Until we commit nobody ends these; who was about to, is waited for. session_queue has no foreign key that would see to it.
SELECT FROM sessions WHERE client_id = ANY ($1::text[]) ORDER BY client_id FOR KEY SHARE

-- name: store_queue
-- After lock_sessions.
INSERT INTO session_queue (client_id, message_id, qos, retain, subscription_id, packet_id, is_received)
SELECT n.client_id, n.message_id, n.qos, n.retain, n.subscription_id, nullif(n.packet_id, 0),
       CASE WHEN n.packet_id <> 0 THEN false END
FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::boolean[], $5::bigint[], $6::integer[])
  AS n (client_id, message_id, qos, retain, subscription_id, packet_id)
WHERE EXISTS (SELECT FROM sessions s WHERE s.client_id = n.client_id)
ON CONFLICT (client_id, message_id) DO NOTHING

-- name: store_provisional
INSERT INTO provisional_messages (message_id)
SELECT DISTINCT id FROM unnest($1::bigint[]) AS n (id) WHERE EXISTS (SELECT FROM messages m WHERE m.id = n.id)
ON CONFLICT (message_id) DO NOTHING

-- name: finalize
DELETE FROM provisional_messages WHERE message_id = ANY ($1::bigint[])

-- name: start_queue
UPDATE session_queue q SET packet_id = s.packet_id, is_received = s.is_received
FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::boolean[]) AS s (client_id, message_id, packet_id, is_received)
WHERE q.client_id = s.client_id AND q.message_id = s.message_id

-- name: remove_receipts
-- Before store_receipts: a packet id whose receipt goes may be used again at once.
DELETE FROM qos2_receipts r USING unnest($1::text[], $2::integer[]) AS gone (client_id, packet_id)
WHERE r.client_id = gone.client_id AND r.packet_id = gone.packet_id

-- name: store_receipts
INSERT INTO qos2_receipts (client_id, packet_id)
SELECT DISTINCT n.client_id, n.packet_id FROM unnest($1::text[], $2::integer[]) AS n (client_id, packet_id)
WHERE EXISTS (SELECT FROM sessions s WHERE s.client_id = n.client_id)
ON CONFLICT (client_id, packet_id) DO NOTHING

-- name: store_inbox
INSERT INTO inbox (user_id, message_id, entry_id, expires_at)
SELECT n.user_id, n.message_id, e.id, n.expires_at
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS n (user_id, message_id, entry_id, expires_at)
LEFT JOIN topic_entries e ON e.id = n.entry_id
WHERE EXISTS (SELECT FROM users u WHERE u.id = n.user_id)
  AND EXISTS (SELECT FROM messages m WHERE m.id = n.message_id)
ON CONFLICT (user_id, message_id) DO NOTHING

-- name: store_outbox
-- $7: our node number, -1 for none; $8: now. The lease is told in db/outbox_store.hpp.
INSERT INTO outbox (message_id, phone_id, entry_id, reason, due_at, expires_at, claimed_by, claimed_until)
SELECT n.message_id, n.phone_id, e.id, n.reason, n.due_at, n.expires_at, nullif($7::integer, -1),
       CASE WHEN $7::integer >= 0 THEN greatest(n.due_at, $8::timestamptz) + interval '60 seconds' END
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[])
  AS n (message_id, phone_id, entry_id, reason, due_at, expires_at)
LEFT JOIN topic_entries e ON e.id = n.entry_id
WHERE EXISTS (SELECT FROM phones p WHERE p.id = n.phone_id)
  AND EXISTS (SELECT FROM messages m WHERE m.id = n.message_id)
ON CONFLICT (message_id, phone_id) DO NOTHING

-- name: remove_acknowledged
DELETE FROM session_queue q USING unnest($1::text[], $2::bigint[]) AS gone (client_id, message_id)
WHERE q.client_id = gone.client_id AND q.message_id = gone.message_id

-- name: trim_queues
-- Of each queue up to a message, the newest rows stay; and what has left at QoS 2, for its packet id.
DELETE FROM session_queue q
USING unnest($1::text[], $2::bigint[], $3::bigint[]) AS t (client_id, up_to, keep),
  LATERAL (SELECT s.message_id FROM session_queue s WHERE s.client_id = t.client_id AND s.message_id <= t.up_to
           ORDER BY s.message_id DESC OFFSET t.keep LIMIT 1) AS newest_gone
WHERE q.client_id = t.client_id AND q.message_id <= newest_gone.message_id AND (q.packet_id IS NULL OR q.qos < 2)

-- name: cancel_notifications
UPDATE outbox o SET state = 'cancelled', reason = c.reason, resolved_at = $4::timestamptz,
                    claimed_by = NULL, claimed_until = NULL
FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS c (message_id, phone_id, reason)
WHERE o.message_id = c.message_id AND o.phone_id = c.phone_id AND o.state = 'pending'

-- name: clear_retained
DELETE FROM retained r USING unnest($1::text[], $2::bigint[]) AS gone (topic, message_id)
WHERE md5(r.topic)::uuid = md5(gone.topic)::uuid AND r.topic = gone.topic AND r.message_id <= gone.message_id

-- name: store_retained
INSERT INTO retained (topic, message_id, payload, qos, properties, publisher, at, expires_at)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], $4::smallint[], $5::bytea[], $6::text[],
                     $7::timestamptz[], $8::timestamptz[])
ON CONFLICT ((md5(topic)::uuid)) DO UPDATE SET
  topic = excluded.topic, message_id = excluded.message_id, payload = excluded.payload, qos = excluded.qos,
  properties = excluded.properties, publisher = excluded.publisher, at = excluded.at, expires_at = excluded.expires_at
WHERE retained.message_id < excluded.message_id

-- name: store_refusals
INSERT INTO refusals (message_id, client_id, topic, at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[])
ON CONFLICT (message_id, client_id) DO NOTHING

-- name: store_wills
-- Each id is stored once, before anything else is said of it.
INSERT INTO wills (id, node, client_id, principal_kind, principal_id, topic, payload, qos, retain, properties, delay_s,
                   message_expiry_s)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::smallint[],
                     $9::boolean[], $10::bytea[], $11::bigint[], $12::bigint[])
ON CONFLICT (id) DO NOTHING

-- name: delay_wills
UPDATE wills w SET due_at = d.due_at FROM unnest($1::bigint[], $2::timestamptz[]) AS d (id, due_at) WHERE w.id = d.id

-- name: remove_alerts
DELETE FROM alerts WHERE id = ANY ($1::bigint[])

-- name: switch_entries
-- Each user and filter once.
UPDATE topic_entries e SET subscribed = n.subscribed
FROM unnest($1::bigint[], $2::text[], $3::boolean[]) AS n (user_id, filter, subscribed)
WHERE e.user_id = n.user_id AND e.filter = n.filter AND e.subscribed <> n.subscribed

-- name: remove_wills
DELETE FROM wills WHERE id = ANY ($1::bigint[])
