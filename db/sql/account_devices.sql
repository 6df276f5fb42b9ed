-- Cameras and sensors (db/account_devices.cpp).

-- name: account_device_add
INSERT INTO devices (id, name, secret_hash, scram) VALUES ($1, $2, decode($3, 'hex'), $4) ON CONFLICT (id) DO NOTHING
RETURNING id, name, encode(secret_hash, 'hex') AS secret_hex, scram, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us

-- name: account_device_find
SELECT id, name, encode(secret_hash, 'hex') AS secret_hex, scram, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM devices WHERE id = $1

-- name: account_device_set_secret
UPDATE devices SET secret_hash = decode($2, 'hex'), scram = $3 WHERE id = $1
RETURNING id, name, encode(secret_hash, 'hex') AS secret_hex, scram, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us

-- name: account_device_list
SELECT id, name, encode(secret_hash, 'hex') AS secret_hex, scram, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM devices WHERE id > $1 ORDER BY id LIMIT $2

-- name: account_device_users
SELECT user_id FROM pairings WHERE device_id = $1 ORDER BY user_id

-- name: account_device_lock
-- No pairing can be added between reading who is paired and the removal.
SELECT id FROM devices WHERE id = $1 FOR UPDATE

-- name: account_device_remove
DELETE FROM devices WHERE id = $1

-- name: account_device_drop_sessions
DELETE FROM sessions WHERE principal_kind = 'device' AND principal_id = $1

-- name: account_device_keep_scram
UPDATE devices SET scram = $3 WHERE id = $1 AND secret_hash = decode($2, 'hex') AND scram = ''
