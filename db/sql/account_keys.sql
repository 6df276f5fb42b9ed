-- API keys of services (db/account_keys.cpp).

-- name: account_key_add
INSERT INTO api_keys (name, key_hash, scopes, filters) VALUES ($1, decode($2, 'hex'), $3::text[], $4::text[])
RETURNING id, name, scopes, filters, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us,
       encode(key_hash, 'hex') AS hash_hex

-- name: account_key_find
SELECT id, name, scopes, filters, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us,
       encode(key_hash, 'hex') AS hash_hex
FROM api_keys WHERE key_hash = decode($1, 'hex')

-- name: account_key_find_by_id
SELECT id, name, scopes, filters, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us,
       encode(key_hash, 'hex') AS hash_hex
FROM api_keys WHERE id = $1

-- name: account_key_list
SELECT id, name, scopes, filters, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us,
       encode(key_hash, 'hex') AS hash_hex
FROM api_keys WHERE id > $1 ORDER BY id LIMIT $2

-- name: account_key_remove
DELETE FROM api_keys WHERE id = $1

-- name: account_key_drop_sessions
DELETE FROM sessions WHERE principal_kind = 'service' AND principal_id = $1::bigint::text
