-- Sessions, retained messages and queues as they are read back (db/session_store.cpp). Everything is read in pages by key, so
-- that a million sessions need no more memory here than one page.

-- name: end_connected_sessions
-- Whoever was connected when the process of our number $2 ended, or one that left no successor, is away since then, as far as
-- anybody knows: from now. The clients of a living node are not.
UPDATE sessions SET ends_at = $1::timestamptz + expiry_s * interval '1 second'
WHERE ends_at IS NULL AND expiry_s < 4294967295
  AND (node IS NULL OR node = $2 OR node NOT IN (SELECT living_nodes()))

-- name: forget_provisional
-- Queue, inbox and outbox rows go with them. Their publishers have no acknowledgement and send them again. $1: our number; a
-- message's id says which node made it (broker-core/session/message_ids.hpp), and a living one may still be about to finish it.
DELETE FROM messages m USING provisional_messages p
WHERE m.id = p.message_id
  AND ((m.id >> 15) & 31 = $1 OR (m.id >> 15) & 31 NOT IN (SELECT living_nodes()))

-- name: list_sessions
SELECT client_id, principal_kind, principal_id, expiry_s, (extract(epoch FROM ends_at) * 1000000)::bigint,
       CASE principal_kind WHEN 'user' THEN (SELECT username FROM users u WHERE u.id = principal_id::bigint)
                           WHEN 'device' THEN principal_id WHEN 'service' THEN 'api-key' ELSE '' END
FROM sessions WHERE client_id > $1 ORDER BY client_id LIMIT $2

-- name: list_subscriptions
SELECT client_id, filter, qos, no_local, retain_as_published, retain_handling, subscription_id
FROM subscriptions WHERE client_id BETWEEN $1 AND $2

-- name: list_receipts
SELECT client_id, packet_id FROM qos2_receipts WHERE client_id BETWEEN $1 AND $2

-- name: list_started
-- One pass over the queues for all sessions: only what may have been sent has a packet id.
SELECT client_id, packet_id FROM session_queue WHERE packet_id IS NOT NULL

-- name: list_retained
SELECT md5(topic)::uuid, message_id, topic, payload, qos, properties, publisher,
       (extract(epoch FROM at) * 1000000)::bigint,
       CASE WHEN isfinite(expires_at) THEN (extract(epoch FROM expires_at) * 1000000)::bigint END
FROM retained WHERE md5(topic)::uuid > $1::uuid AND expires_at > $2::timestamptz
ORDER BY md5(topic)::uuid LIMIT $3

-- name: list_queue
-- $2: message ids to leave out. The first row always comes, the following while the payloads before them fit into $4 bytes;
-- candidates says how many there were before that. Left over rows (migration 0013) are none; OFFSET 0: message by message, by
-- index, until there are enough.
SELECT id, topic, payload, message_qos, retained_at_publish, properties, publisher,
       (extract(epoch FROM at) * 1000000)::bigint,
       CASE WHEN isfinite(expires_at) THEN (extract(epoch FROM expires_at) * 1000000)::bigint END,
       qos, retain, subscription_id, candidates, packet_id, is_received
FROM (SELECT *, count(*) OVER () AS candidates,
             sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS bytes_before
      FROM (SELECT m.*, q.qos, q.retain, q.subscription_id, q.packet_id, q.is_received
            FROM session_queue q
            CROSS JOIN LATERAL (SELECT id, topic, payload, qos AS message_qos, retain AS retained_at_publish, properties, publisher,
                                       at, expires_at
                                FROM messages WHERE id = q.message_id OFFSET 0) m
            WHERE q.client_id = $1 AND q.message_id <> ALL ($2::bigint[])
            ORDER BY q.message_id LIMIT $3) owed) page
WHERE bytes_before < $4 ORDER BY id

-- name: count_queues
SELECT q.client_id, count(*), sum(octet_length(m.payload) + octet_length(m.topic) + octet_length(m.properties))
FROM session_queue q JOIN messages m ON m.id = q.message_id GROUP BY q.client_id
