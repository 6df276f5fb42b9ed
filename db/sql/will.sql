-- Wills that a gateway left when it ended or died (db/will_store.cpp): taken up at a start, and by those that live. A node lives while
-- its number's advisory lock is held (migration 0007).

-- name: lock_wills
-- Class 0x77616b67, held until the transaction ends: one takes up wills at a time, and what follows in its transaction sees who lives
-- now, and what is left. So a number that is taken again meanwhile has its wills either from here or from us.
SELECT pg_advisory_xact_lock(2002873191, 0)

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

-- name: vacant_numbers
-- Of nodes that are gone, and whose wills are there.
SELECT number FROM generate_series(0, 31) AS number
WHERE number NOT IN (SELECT living_nodes()) AND EXISTS (SELECT FROM wills WHERE node = number)

-- name: forget_wills_of_returned
-- $1: the dead node's number. Their clients have their sessions at a living node again.
DELETE FROM wills w USING sessions s
WHERE w.node = $1 AND w.node NOT IN (SELECT living_nodes())
  AND s.client_id = w.client_id AND s.ends_at IS NULL AND s.node IN (SELECT living_nodes())

-- name: date_wills
-- $1: the dead node's number; $2: now, from which the delays of clients that were connected count. Where the session would end
-- sooner, or ended with the connection, so does the wait (v5 section 3.1.2.5).
UPDATE wills w SET due_at = $2::timestamptz + interval '1 second' *
    LEAST(delay_s, coalesce((SELECT s.expiry_s FROM sessions s WHERE s.client_id = w.client_id), 0))
WHERE node = $1 AND due_at IS NULL AND node NOT IN (SELECT living_nodes())

-- name: inherit_wills
-- $1: the dead node's number; $2: ours; $3: now; $4: how many at most. Those that are due, or whose session has ended, become ours;
-- the others stay until they are.
WITH due AS (
  SELECT id FROM wills w
  WHERE node = $1 AND node NOT IN (SELECT living_nodes())
    AND (due_at <= $3::timestamptz
         OR NOT EXISTS (SELECT FROM sessions s WHERE s.client_id = w.client_id AND (s.ends_at IS NULL OR s.ends_at > $3::timestamptz)))
  ORDER BY id LIMIT $4),
mine AS (UPDATE wills w SET node = $2 FROM due WHERE w.id = due.id RETURNING w.*)
SELECT id, client_id, principal_kind, principal_id,
       CASE principal_kind WHEN 'user' THEN (SELECT username FROM users u WHERE u.id = principal_id::bigint)
                           WHEN 'device' THEN principal_id WHEN 'service' THEN 'api-key' ELSE '' END,
       topic, payload, qos, retain, properties, delay_s, message_expiry_s, (extract(epoch FROM due_at) * 1000000)::bigint
FROM mine ORDER BY id
