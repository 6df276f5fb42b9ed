-- Wills that are owed when a gateway starts (db/will_store.cpp). A node lives while its number's advisory lock is held
-- (migration 0007).

-- name: adopt_wills
-- $1: our number, which nobody else can hold; $2: now. What a dead node left becomes ours. Delays of clients that were connected
-- count from now, and from now on only. Most wills have no delay and are ours already: their rows stay untouched.
UPDATE wills SET node = $1,
                 due_at = CASE WHEN due_at IS NULL AND delay_s > 0 THEN $2::timestamptz + delay_s * interval '1 second'
                               ELSE due_at END
WHERE (node = $1 AND due_at IS NULL AND delay_s > 0) OR (node <> $1 AND node NOT IN (SELECT living_nodes()))

-- name: list_wills
SELECT id, client_id, principal_kind, principal_id,
       CASE principal_kind WHEN 'user' THEN (SELECT username FROM users u WHERE u.id = principal_id::bigint)
                           WHEN 'device' THEN principal_id WHEN 'service' THEN 'api-key' ELSE '' END,
       topic, payload, qos, retain, properties, delay_s, message_expiry_s, (extract(epoch FROM due_at) * 1000000)::bigint
FROM wills WHERE id > $1 AND node = $2 ORDER BY id LIMIT $3
