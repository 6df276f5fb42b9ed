-- Accounts of people (db/account_users.cpp). Times travel as microseconds since 1970 UTC.

-- name: account_user_add
INSERT INTO users (username, password_hash, scram) VALUES ($1, $2, $3) ON CONFLICT (username) DO NOTHING
RETURNING id, username, password_hash, scram, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us

-- name: account_user_set_password
UPDATE users SET password_hash = $2, scram = $3 WHERE username = $1 RETURNING id

-- name: account_user_drop_logins
-- $2: the one that stays; 0: none.
DELETE FROM logins WHERE user_id = $1 AND id <> $2

-- name: account_user_drop_tokens
-- Those of before there were log-ins.
DELETE FROM access_tokens WHERE user_id = $1 AND login_id IS NULL

-- name: account_user_find
SELECT id, username, password_hash, scram, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM users WHERE username = $1

-- name: account_user_find_by_id
SELECT id, username, password_hash, scram, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM users WHERE id = $1

-- name: account_user_list
SELECT id, username, password_hash, scram, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM users WHERE username > $1 ORDER BY username LIMIT $2

-- name: account_user_remove
DELETE FROM users WHERE username = $1 RETURNING id

-- name: account_user_drop_sessions
-- Sessions have no foreign key (their principals are of four kinds).
DELETE FROM sessions WHERE principal_kind = 'user' AND principal_id = $1::bigint::text

-- name: account_user_keep_scram
-- Made from a password that was right a moment ago: not if another has been set since.
UPDATE users SET scram = $3 WHERE id = $1 AND password_hash = $2 AND scram = ''

-- name: account_shared_secret
SELECT encode(value, 'hex') AS value_hex FROM shared_secrets WHERE name = $1
