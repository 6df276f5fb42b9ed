-- Notifications: outcomes, claims, the trace (db/outbox_store.cpp). A claim is a lease: claimed_by and claimed_until. Another
-- node may take a row when the lease is over, or when nobody holds the claimer's number any more (sql/node.sql).

-- name: finish_notifications
-- Final. What the provider took was sent, even when an acknowledgement cancelled the row while it was on its way.
UPDATE outbox o SET state = r.state::notification_state, reason = r.reason, attempt_count = r.attempt_count,
                    provider_id = r.provider_id, resolved_at = r.at, claimed_by = NULL, claimed_until = NULL
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::timestamptz[])
  AS r (message_id, phone_id, state, reason, attempt_count, provider_id, at)
WHERE o.message_id = r.message_id AND o.phone_id = r.phone_id
  AND (o.state = 'pending' OR (o.state = 'cancelled' AND r.state = 'sent'))

-- name: postpone_notifications
-- Still pending: kept by the node that has it ($7), with a lease that outlasts the wait, or given back.
UPDATE outbox o SET reason = r.reason, attempt_count = r.attempt_count, due_at = r.due_at,
                    claimed_by = CASE WHEN r.is_kept AND $7::integer >= 0 THEN $7::integer END,
                    claimed_until = CASE WHEN r.is_kept AND $7::integer >= 0
                                         THEN greatest(r.due_at, $8::timestamptz) + interval '60 seconds' END
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::timestamptz[], $6::boolean[])
  AS r (message_id, phone_id, reason, attempt_count, due_at, is_kept)
WHERE o.message_id = r.message_id AND o.phone_id = r.phone_id AND o.state = 'pending'

-- name: prove_environments
-- Not when the phone holds a proven one by now, nor when another phone has the token there already.
UPDATE phones p SET environment = r.environment, environment_proven = true
FROM unnest($1::bigint[], $2::text[]) AS r (phone_id, environment)
WHERE p.id = r.phone_id AND NOT p.environment_proven AND p.token IS NOT NULL
  AND NOT EXISTS (SELECT FROM phones other WHERE other.platform = p.platform AND other.app_id = p.app_id
                  AND other.environment = r.environment AND other.token = p.token AND other.id <> p.id)

-- name: remove_tokens
-- Compare-and-delete: only the very token that was called dead, and only if it was not registered again since. What still
-- waits for the phone can never be sent. One row per client id of each user who lost a token.
WITH removed AS (
  UPDATE phones p SET token = NULL
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    AS r (phone_id, platform, app_id, environment, token, registered_until)
  WHERE p.id = r.phone_id AND p.platform = r.platform AND p.app_id = r.app_id AND p.environment = r.environment
    AND p.token = r.token AND p.registered_at <= r.registered_until
  RETURNING p.id, p.user_id, p.phone_id),
closed AS (
  UPDATE outbox o SET state = 'failed', reason = 'the phone''s token was removed', resolved_at = $7::timestamptz,
                      claimed_by = NULL, claimed_until = NULL
  FROM removed WHERE o.phone_id = removed.id AND o.state = 'pending')
SELECT removed.id, removed.user_id, p.client_id, removed.phone_id
FROM removed JOIN phones p ON p.user_id = removed.user_id ORDER BY removed.id, p.id

-- name: release_claims
UPDATE outbox SET claimed_by = NULL, claimed_until = NULL WHERE state = 'pending' AND claimed_by = $1

-- name: claim_notifications
-- $1: our node; $2: now; $3: how many. A message's content comes with its first row only.
WITH due AS (
  SELECT message_id, phone_id FROM outbox
  WHERE state = 'pending' AND due_at <= $2::timestamptz
    AND (claimed_by IS NULL OR claimed_until <= $2::timestamptz
         OR (claimed_by <> $1::integer AND claimed_by NOT IN (SELECT living_nodes())))
  ORDER BY due_at, message_id LIMIT $3 FOR UPDATE SKIP LOCKED),
claimed AS (
  UPDATE outbox o
  SET claimed_by = CASE WHEN p.token IS NOT NULL THEN $1::integer END,
      claimed_until = CASE WHEN p.token IS NOT NULL THEN $2::timestamptz + interval '60 seconds' END,
      state = CASE WHEN p.token IS NULL THEN 'failed' ELSE o.state END,
      reason = CASE WHEN p.token IS NULL THEN 'the phone has no token' ELSE o.reason END,
      resolved_at = CASE WHEN p.token IS NULL THEN $2::timestamptz END
  FROM due JOIN phones p ON p.id = due.phone_id
  WHERE o.message_id = due.message_id AND o.phone_id = due.phone_id
  RETURNING o.*, p.user_id, p.platform, p.app_id, p.environment, p.environment_proven, p.token_kind, p.token,
            p.registered_at, p.locale),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY message_id ORDER BY due_at, phone_id) AS nth
  FROM claimed WHERE token IS NOT NULL)
SELECT c.message_id, c.phone_id, c.attempt_count,
       CASE WHEN isfinite(c.expires_at) THEN (extract(epoch FROM c.expires_at) * 1000000)::bigint END AS expires,
       c.platform, c.app_id, c.environment, c.environment_proven, c.token_kind, c.token,
       (extract(epoch FROM c.registered_at) * 1000000)::bigint AS registered, c.locale,
       CASE WHEN c.nth = 1 THEN m.topic END AS topic, CASE WHEN c.nth = 1 THEN m.payload END AS payload,
       m.qos, m.retain, CASE WHEN c.nth = 1 THEN m.properties END AS properties, m.publisher,
       (extract(epoch FROM m.at) * 1000000)::bigint AS at,
       CASE WHEN isfinite(m.expires_at) THEN (extract(epoch FROM m.expires_at) * 1000000)::bigint END AS message_expires,
       e.id AS entry_id, e.filter, coalesce(e.device_id, '') AS device_id,
       coalesce(nullif(pairing.name, ''), d.name, '') AS device_name, e.title, e.subscribed, e.push::text AS push
FROM numbered c
JOIN messages m ON m.id = c.message_id
LEFT JOIN topic_entries e ON e.id = c.entry_id
LEFT JOIN pairings pairing ON pairing.user_id = e.user_id AND pairing.device_id = e.device_id
LEFT JOIN devices d ON d.id = e.device_id
ORDER BY c.message_id, c.nth

-- name: waiting_alerts
-- What will be claimed again (silent pushes have no order): $1 our node, $2 how many. The latest when there are more, since
-- they are what new ones would overtake.
SELECT o.message_id, o.phone_id, m.topic, (extract(epoch FROM o.due_at) * 1000000)::bigint AS due
FROM outbox o
JOIN messages m ON m.id = o.message_id
JOIN phones p ON p.id = o.phone_id AND p.token IS NOT NULL
LEFT JOIN topic_entries e ON e.id = o.entry_id
WHERE o.state = 'pending' AND coalesce(e.push ->> 'style', 'alert') = 'alert'
  AND (o.claimed_by IS NULL OR o.claimed_by = $1::integer OR o.claimed_by NOT IN (SELECT living_nodes()))
ORDER BY o.due_at DESC, o.message_id DESC LIMIT $2
