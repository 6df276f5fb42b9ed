-- Users with all that belongs to them, by ranges of user ids (db/registry_store.cpp): one user is a range of one.

-- name: list_users
SELECT id, username FROM users WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3

-- name: list_paired_devices
SELECT user_id, device_id FROM pairings WHERE user_id BETWEEN $1 AND $2 ORDER BY user_id, device_id COLLATE "C"

-- name: list_read_rules
SELECT u.id, r.filter FROM acl_rules r JOIN users u ON r.name IN ('', u.username)
WHERE r.subject IN ('user', 'all') AND r.action <> 'publish' AND u.id BETWEEN $1 AND $2 ORDER BY u.id, r.id

-- name: list_phones
SELECT user_id, id, phone_id, client_id, platform, app_id, environment, environment_proven, token_kind,
       coalesce(token, ''), (extract(epoch FROM registered_at) * 1000000)::bigint, locale
FROM phones WHERE user_id BETWEEN $1 AND $2 ORDER BY user_id, id

-- name: list_entries
-- The name a user gave the device when pairing goes before the name the device was provisioned with.
SELECT e.user_id, e.id, e.filter, coalesce(e.device_id, ''), coalesce(nullif(p.name, ''), d.name, ''), e.title,
       e.subscribed, e.push::text, e.granted
FROM topic_entries e
LEFT JOIN pairings p ON p.user_id = e.user_id AND p.device_id = e.device_id
LEFT JOIN devices d ON d.id = e.device_id
WHERE e.user_id BETWEEN $1 AND $2 ORDER BY e.user_id, e.id

-- name: find_user_id
SELECT id FROM users WHERE username = $1

-- name: find_phone_owner
SELECT user_id FROM phones WHERE id = $1

-- name: listen_registry
LISTEN wake_registry
