-- The topic cache (db/account_topics.cpp). push travels as JSON text (db/push_policy_json.hpp).

-- name: account_entry_add
INSERT INTO topic_entries (user_id, device_id, filter, title, subscribed, push, granted)
VALUES ($1, nullif($2, ''), $3, $4, $5, $6::jsonb, $7) ON CONFLICT (user_id, filter) DO NOTHING RETURNING id

-- name: account_entry_count
SELECT count(*) FROM topic_entries WHERE user_id = $1

-- name: account_entry_lock
-- Nobody else changes the row before the transaction ends.
SELECT e.id, e.filter, coalesce(e.device_id, '') AS device_id, coalesce(p.name, '') AS device_name, e.title, e.subscribed, e.push,
       e.granted
FROM topic_entries e LEFT JOIN pairings p ON p.user_id = e.user_id AND p.device_id = e.device_id
WHERE e.user_id = $1 AND e.id = $2 FOR UPDATE OF e

-- name: account_entry_list
-- Newest message and unread ones: one look into the index of the inbox and one range of it, for the entries of the page only.
-- A message's id begins with the milliseconds since 2026 (migrations/0012). $6: now; $7: unread ones are counted so far.
SELECT e.*, coalesce(p.name, '') AS device_name, coalesce(newest.id, 0) AS last_id,
       (extract(epoch FROM timestamptz '2026-01-01 00:00:00+00') * 1000000)::bigint + (newest.id >> 20) * 1000 AS last_us,
       unread.count AS unread
FROM (SELECT id, user_id, filter, coalesce(device_id, '') AS device_id, title, subscribed, push, granted, last_message_id
      FROM topic_entries
      WHERE user_id = $1 AND id > $2 AND ($3::text IS NULL OR device_id = $3) AND ($4::boolean IS NULL OR subscribed = $4)
      ORDER BY id LIMIT $5) e
LEFT JOIN pairings p ON p.user_id = e.user_id AND p.device_id = e.device_id
CROSS JOIN LATERAL (SELECT greatest(e.last_message_id, (SELECT max(message_id) FROM inbox WHERE entry_id = e.id)) AS id) newest
CROSS JOIN LATERAL (SELECT count(*) AS count
                    FROM (SELECT FROM inbox
                          WHERE entry_id = e.id AND expires_at > timestamptz 'epoch' + $6::bigint * interval '1 microsecond'
                          LIMIT $7) waiting) unread
ORDER BY e.id

-- name: account_entry_granted
SELECT filter FROM topic_entries WHERE user_id = $1 AND granted

-- name: account_entry_update
UPDATE topic_entries SET device_id = nullif($3, ''), filter = $4, title = $5, subscribed = $6, push = $7::jsonb, granted = $8
WHERE user_id = $1 AND id = $2

-- name: account_entry_remove
DELETE FROM topic_entries WHERE user_id = $1 AND id = $2
