-- Requests with an Idempotency-Key (db/idempotency_store.cpp). $1, $2: principal and key, everywhere.

-- name: idempotency_add
-- $3: SHA-256 of the request; $4: a message id of the node that asks, whose number is in it; $5: now; $6: until when.
-- Nothing comes back when there is a row that has not expired.
INSERT INTO idempotency_keys AS k (principal, key, request_hash, node, message_id, expires_at)
VALUES ($1, $2, decode($3, 'hex'), (($4::bigint >> 15) & 31)::integer, $4,
        timestamptz 'epoch' + $6::bigint * interval '1 microsecond')
ON CONFLICT (principal, key) DO UPDATE SET
  request_hash = excluded.request_hash, node = excluded.node, message_id = excluded.message_id, status = NULL, body = NULL,
  expires_at = excluded.expires_at
WHERE k.expires_at <= timestamptz 'epoch' + $5::bigint * interval '1 microsecond'
RETURNING 1

-- name: idempotency_find
-- is_free: neither answered nor under way at a living node other than the one that asks ($3: a message id of it).
SELECT encode(request_hash, 'hex') AS request_hex, message_id, coalesce(status, 0) AS status, body,
       status IS NULL AND (node = ($3::bigint >> 15) & 31 OR node NOT IN (SELECT living_nodes())) AS is_free
FROM idempotency_keys WHERE principal = $1 AND key = $2 FOR UPDATE

-- name: idempotency_take_over
UPDATE idempotency_keys SET node = (($3::bigint >> 15) & 31)::integer WHERE principal = $1 AND key = $2

-- name: idempotency_trim
-- Keeps the newest $2 of the principal.
DELETE FROM idempotency_keys WHERE principal = $1 AND key IN (
  SELECT key FROM idempotency_keys WHERE principal = $1 ORDER BY expires_at DESC OFFSET $2 LIMIT 1000)

-- name: idempotency_answer
UPDATE idempotency_keys SET status = $3, body = $4 WHERE principal = $1 AND key = $2

-- name: idempotency_forget
DELETE FROM idempotency_keys WHERE principal = $1 AND key = $2

-- name: idempotency_is_published
SELECT EXISTS (SELECT FROM messages WHERE id = $1)
   AND NOT EXISTS (SELECT FROM provisional_messages WHERE message_id = $1)
