-- A user's phones and their sessions (db/account_phones.cpp).

-- name: account_phone_find
SELECT id, phone_id, client_id, platform, app_id, environment, environment_proven, coalesce(token, '') AS token, token_kind,
       locale, (extract(epoch FROM registered_at) * 1000000)::bigint AS registered_us,
       (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM phones WHERE user_id = $1 AND phone_id = $2

-- name: account_phone_lock
SELECT id, phone_id, client_id, platform, app_id, environment, environment_proven, coalesce(token, '') AS token, token_kind,
       locale, (extract(epoch FROM registered_at) * 1000000)::bigint AS registered_us,
       (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM phones WHERE user_id = $1 AND phone_id = $2 FOR UPDATE

-- name: account_phone_count
SELECT count(*) FROM phones WHERE user_id = $1

-- name: account_phone_list
SELECT id, phone_id, client_id, platform, app_id, environment, environment_proven, coalesce(token, '') AS token, token_kind,
       locale, (extract(epoch FROM registered_at) * 1000000)::bigint AS registered_us,
       (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM phones WHERE user_id = $1 AND phone_id > $2 ORDER BY phone_id LIMIT $3

-- name: account_phone_other_with_client_id
SELECT user_id FROM phones WHERE client_id = $1 AND NOT (user_id = $2 AND phone_id = $3)

-- name: account_phone_make_session
-- Nothing comes back when the client id belongs to another principal. The expiry is 0xFFFFFFFF: messages wait for the phone
-- until they expire themselves.
INSERT INTO sessions (client_id, principal_kind, principal_id, expiry_s)
VALUES ($1, 'user', $2::bigint::text, 4294967295)
ON CONFLICT (client_id) DO UPDATE SET expiry_s = 4294967295, ends_at = NULL
WHERE sessions.principal_kind = 'user' AND sessions.principal_id = $2::bigint::text
RETURNING client_id

-- name: account_phone_drop_session
DELETE FROM sessions WHERE client_id = $1 AND principal_kind = 'user' AND principal_id = $2::bigint::text

-- name: account_phone_take_token
-- A token is one installation, whatever environment it was first said to be of.
UPDATE phones SET token = NULL, environment_proven = false
WHERE platform = $1 AND app_id = $2 AND token = $3 AND NOT (user_id = $4 AND phone_id = $5)
RETURNING user_id

-- name: account_phone_put
-- $9: the app named an environment. If not, and the token is the one we have, what was found out about it stays.
INSERT INTO phones AS p (user_id, phone_id, client_id, platform, app_id, environment, token, token_kind, locale)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $10)
ON CONFLICT (user_id, phone_id) DO UPDATE SET
  client_id = excluded.client_id, platform = excluded.platform, app_id = excluded.app_id,
  environment = CASE WHEN NOT $9::boolean AND p.token = excluded.token THEN p.environment ELSE excluded.environment END,
  environment_proven = p.environment_proven AND p.token IS NOT DISTINCT FROM excluded.token
                       AND (NOT $9::boolean OR p.environment = excluded.environment),
  token = excluded.token, token_kind = excluded.token_kind, locale = excluded.locale, registered_at = now()
RETURNING id, phone_id, client_id, platform, app_id, environment, environment_proven, coalesce(token, '') AS token, token_kind,
          locale, (extract(epoch FROM registered_at) * 1000000)::bigint AS registered_us,
          (extract(epoch FROM created_at) * 1000000)::bigint AS created_us

-- name: account_phone_remove
DELETE FROM phones WHERE user_id = $1 AND phone_id = $2 RETURNING client_id
