-- Log-ins of people and their tokens (db/account_logins.cpp). Times travel as microseconds since 1970 UTC.

-- name: account_login_add
INSERT INTO logins (user_id, family_hash, current_hash, rotated_at, expires_at)
VALUES ($1, decode($2, 'hex'), decode($3, 'hex'), timestamptz 'epoch' + $4::bigint * interval '1 microsecond',
        timestamptz 'epoch' + $5::bigint * interval '1 microsecond')
RETURNING id

-- name: account_login_trim
-- The longest unused go.
DELETE FROM logins WHERE user_id = $1 AND id NOT IN (
  SELECT id FROM logins WHERE user_id = $1 ORDER BY rotated_at DESC, id DESC LIMIT $2)

-- name: account_login_add_token
INSERT INTO access_tokens (token_hash, user_id, login_id, expires_at)
VALUES (decode($1, 'hex'), $2, $3, timestamptz 'epoch' + $4::bigint * interval '1 microsecond')

-- name: account_login_trim_tokens
DELETE FROM access_tokens WHERE login_id = $1 AND token_hash NOT IN (
  SELECT token_hash FROM access_tokens WHERE login_id = $1 ORDER BY expires_at DESC LIMIT $2)

-- name: account_login_take
SELECT id, user_id, encode(current_hash, 'hex') AS current_hex, coalesce(encode(former_hash, 'hex'), '') AS former_hex,
       (extract(epoch FROM rotated_at) * 1000000)::bigint AS rotated_us
FROM logins
WHERE family_hash = decode($1, 'hex') AND expires_at > timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
FOR UPDATE

-- name: account_login_find
SELECT id FROM logins WHERE id = $1

-- name: account_login_rotate
-- $3: what the current part was when it was shown; the grace of a part before it counts from the first time it was shown.
UPDATE logins
SET current_hash = decode($2, 'hex'), former_hash = decode($3, 'hex'),
    rotated_at = timestamptz 'epoch' + $4::bigint * interval '1 microsecond',
    expires_at = timestamptz 'epoch' + $5::bigint * interval '1 microsecond'
WHERE id = $1

-- name: account_login_remove
DELETE FROM logins WHERE id = $1

-- name: account_login_remove_family
DELETE FROM logins WHERE family_hash = decode($1, 'hex') RETURNING id, user_id

-- name: account_login_remove_by_token
DELETE FROM logins WHERE id = (SELECT login_id FROM access_tokens WHERE token_hash = decode($1, 'hex'))
RETURNING id, user_id

-- name: account_token_find_owner
SELECT u.id, u.username, u.password_hash, u.scram, (extract(epoch FROM u.created_at) * 1000000)::bigint AS created_us,
       coalesce(t.login_id, 0) AS login_id, (extract(epoch FROM t.expires_at) * 1000000)::bigint AS expires_us
FROM access_tokens t JOIN users u ON u.id = t.user_id
WHERE t.token_hash = decode($1, 'hex') AND t.expires_at > timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
