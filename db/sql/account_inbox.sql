-- The inbox and the trace of a message (db/account_inbox.cpp).

-- name: account_inbox_list
-- A page has $5 messages at most, and as many as 4 MiB of payload hold (one at least); candidates says how many there were.
SELECT id, topic, payload, qos, retain, at_us, expires_us, candidates
FROM (SELECT *, count(*) OVER () AS candidates, sum(payload_bytes) OVER (ORDER BY id) - payload_bytes AS bytes_before
      FROM (SELECT m.id, m.topic, m.payload, m.qos, m.retain, (extract(epoch FROM m.at) * 1000000)::bigint AS at_us,
                   (extract(epoch FROM i.expires_at) * 1000000)::bigint AS expires_us,
                   octet_length(m.payload) AS payload_bytes
            FROM inbox i JOIN messages m ON m.id = i.message_id
            WHERE i.user_id = $1 AND i.message_id > $2 AND ($3::text IS NULL OR m.topic = $3)
              AND i.expires_at > timestamptz 'epoch' + $4::bigint * interval '1 microsecond'
            ORDER BY i.message_id LIMIT $5) found) counted
WHERE bytes_before < 4194304 ORDER BY id

-- name: account_inbox_find
SELECT m.id, m.topic, m.payload, m.qos, m.retain, (extract(epoch FROM m.at) * 1000000)::bigint AS at_us,
       (extract(epoch FROM i.expires_at) * 1000000)::bigint AS expires_us
FROM inbox i JOIN messages m ON m.id = i.message_id
WHERE i.user_id = $1 AND i.message_id = $2
  AND i.expires_at > timestamptz 'epoch' + $3::bigint * interval '1 microsecond'

-- name: account_inbox_ack
DELETE FROM inbox WHERE user_id = $1 AND message_id = ANY ($2::bigint[]) RETURNING message_id

-- name: account_inbox_ack_up_to
DELETE FROM inbox WHERE user_id = $1 AND message_id <= $2 RETURNING message_id

-- name: account_trace_message
-- The message itself is not there when every receiver refused it, or all have it.
SELECT topic, (extract(epoch FROM at) * 1000000)::bigint AS at_us
FROM (SELECT topic, at FROM messages WHERE id = $1 UNION ALL SELECT topic, at FROM refusals WHERE message_id = $1) seen LIMIT 1

-- name: account_trace_rows
SELECT 'push' AS receiver, p.phone_id AS id, p.user_id::text AS user_id, o.state::text AS state, o.reason, o.attempt_count,
       o.provider_id, (extract(epoch FROM o.due_at) * 1000000)::bigint AS due_us,
       (extract(epoch FROM o.resolved_at) * 1000000)::bigint AS resolved_us
FROM outbox o JOIN phones p ON p.id = o.phone_id WHERE o.message_id = $1
UNION ALL
SELECT 'session', q.client_id, CASE WHEN s.principal_kind = 'user' THEN s.principal_id ELSE '' END, 'waiting', '', 0, '', NULL, NULL
FROM session_queue q JOIN sessions s ON s.client_id = q.client_id WHERE q.message_id = $1
UNION ALL
SELECT 'inbox', i.user_id::text, i.user_id::text, 'waiting', '', 0, '', NULL, NULL FROM inbox i WHERE i.message_id = $1
UNION ALL
SELECT 'session', r.client_id, CASE WHEN s.principal_kind = 'user' THEN s.principal_id ELSE '' END, 'refused', 'queue full', 0, '',
       NULL, (extract(epoch FROM r.at) * 1000000)::bigint
FROM refusals r LEFT JOIN sessions s ON s.client_id = r.client_id WHERE r.message_id = $1
ORDER BY 1, 2 LIMIT 1000
