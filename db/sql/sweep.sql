-- What nobody needs any more, in slices of $2 rows; two nodes sweep side by side because each skips what the other has locked.

-- name: sweep_sessions
-- Queue and subscriptions go with them. The machine ends a session by itself, and hands on first what it held for its groups:
-- this is for those that no machine knows.
DELETE FROM sessions WHERE client_id IN (
  SELECT client_id FROM sessions WHERE ends_at < $1::timestamptz ORDER BY ends_at LIMIT $2 FOR UPDATE SKIP LOCKED)

-- name: sweep_expired_messages
-- Queue, inbox and outbox rows go with them.
DELETE FROM messages WHERE id IN (
  SELECT id FROM messages WHERE expires_at < $1::timestamptz AND expires_at < 'infinity'
  ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)

-- name: sweep_left_over_queue
-- Rows that were written as their message went (migration 0013). $1, $2: only those after this one.
WITH page AS (
  SELECT client_id, message_id, (SELECT true FROM messages m WHERE m.id = q.message_id) AS has_message
  FROM session_queue q WHERE (client_id, message_id) > ($1, $2::bigint) ORDER BY client_id, message_id LIMIT $3),
gone AS (
  DELETE FROM session_queue q USING page
  WHERE q.client_id = page.client_id AND q.message_id = page.message_id AND page.has_message IS NULL
  RETURNING q.message_id),
last AS (SELECT client_id, message_id FROM page ORDER BY client_id DESC, message_id DESC LIMIT 1)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM page), coalesce((SELECT client_id FROM last), ''),
       coalesce((SELECT message_id FROM last), 0)

-- name: sweep_inbox
DELETE FROM inbox WHERE (user_id, message_id) IN (
  SELECT user_id, message_id FROM inbox WHERE expires_at < $1::timestamptz ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)

-- name: sweep_unowed_messages
-- $1: only ids after this; $3: stored before this; $4: notifications resolved before this are no longer wanted for the trace.
WITH page AS (
  SELECT id FROM messages WHERE id > $1 AND at < $3::timestamptz ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED),
gone AS (
  DELETE FROM messages m USING page
  WHERE m.id = page.id
    AND NOT EXISTS (SELECT FROM session_queue q WHERE q.message_id = m.id)
    AND NOT EXISTS (SELECT FROM inbox i WHERE i.message_id = m.id)
    AND NOT EXISTS (SELECT FROM outbox o WHERE o.message_id = m.id
                    AND (o.state = 'pending' OR o.resolved_at >= $4::timestamptz))
    AND NOT EXISTS (SELECT FROM idempotency_keys k WHERE k.message_id = m.id AND k.status IS NULL)
  RETURNING m.id)
SELECT (SELECT count(*) FROM gone), count(*), coalesce(max(id), 0) FROM page

-- name: sweep_access_tokens
DELETE FROM access_tokens WHERE token_hash IN (
  SELECT token_hash FROM access_tokens WHERE expires_at < $1::timestamptz LIMIT $2 FOR UPDATE SKIP LOCKED)

-- name: sweep_logins
DELETE FROM logins WHERE id IN (
  SELECT id FROM logins WHERE expires_at < $1::timestamptz ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)

-- name: sweep_pairing_codes
DELETE FROM pairing_codes WHERE code IN (
  SELECT code FROM pairing_codes WHERE expires_at < $1::timestamptz LIMIT $2 FOR UPDATE SKIP LOCKED)

-- name: sweep_idempotency_keys
DELETE FROM idempotency_keys WHERE (principal, key) IN (
  SELECT principal, key FROM idempotency_keys WHERE expires_at < $1::timestamptz ORDER BY expires_at LIMIT $2
  FOR UPDATE SKIP LOCKED)

-- name: sweep_refusals
DELETE FROM refusals WHERE (message_id, client_id) IN (
  SELECT message_id, client_id FROM refusals WHERE at < $1::timestamptz ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
