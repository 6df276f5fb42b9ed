-- The topic cache (db/account_topics.cpp). push travels as JSON text (db/push_policy_json.hpp).

-- name: account_entry_add
INSERT INTO topic_entries (user_id, device_id, filter, title, subscribed, push)
VALUES ($1, nullif($2, ''), $3, $4, $5, $6::jsonb) ON CONFLICT (user_id, filter) DO NOTHING RETURNING id

-- name: account_entry_find
SELECT e.id, e.filter, coalesce(e.device_id, '') AS device_id, coalesce(p.name, '') AS device_name, e.title, e.subscribed, e.push
FROM topic_entries e LEFT JOIN pairings p ON p.user_id = e.user_id AND p.device_id = e.device_id
WHERE e.user_id = $1 AND e.id = $2

-- name: account_entry_lock
-- As account_entry_find, and nobody else changes the row before the transaction ends.
SELECT e.id, e.filter, coalesce(e.device_id, '') AS device_id, coalesce(p.name, '') AS device_name, e.title, e.subscribed, e.push
FROM topic_entries e LEFT JOIN pairings p ON p.user_id = e.user_id AND p.device_id = e.device_id
WHERE e.user_id = $1 AND e.id = $2 FOR UPDATE OF e

-- name: account_entry_list
SELECT e.id, e.filter, coalesce(e.device_id, '') AS device_id, coalesce(p.name, '') AS device_name, e.title, e.subscribed, e.push
FROM topic_entries e LEFT JOIN pairings p ON p.user_id = e.user_id AND p.device_id = e.device_id
WHERE e.user_id = $1 AND e.id > $2 AND ($3::text IS NULL OR e.device_id = $3) AND ($4::boolean IS NULL OR e.subscribed = $4)
ORDER BY e.id LIMIT $5

-- name: account_entry_update
UPDATE topic_entries SET device_id = nullif($3, ''), filter = $4, title = $5, subscribed = $6, push = $7::jsonb
WHERE user_id = $1 AND id = $2

-- name: account_entry_remove
DELETE FROM topic_entries WHERE user_id = $1 AND id = $2
