-- Pairing codes and pairings (db/account_pairings.cpp).

-- name: account_code_trim
-- Keeps the newest $2 waiting codes of the user.
DELETE FROM pairing_codes WHERE code IN (
  SELECT code FROM pairing_codes WHERE user_id = $1 AND device_id IS NULL ORDER BY expires_at DESC, code OFFSET $2)

-- name: account_code_add
INSERT INTO pairing_codes (code, user_id, expires_at)
VALUES ($1, $2, timestamptz 'epoch' + $3::bigint * interval '1 microsecond') ON CONFLICT (code) DO NOTHING

-- name: account_code_find
SELECT code, (extract(epoch FROM expires_at) * 1000000)::bigint AS expires_us, coalesce(device_id, '') AS device_id
FROM pairing_codes
WHERE code = $1 AND user_id = $2 AND expires_at > timestamptz 'epoch' + $3::bigint * interval '1 microsecond'

-- name: account_code_remove
DELETE FROM pairing_codes WHERE code = $1 AND user_id = $2

-- name: account_code_lock
-- Two claims at once: the second waits for the first's row lock, then finds the code used. Waiting, or claimed by this device.
SELECT user_id, device_id IS NOT NULL AS is_claimed FROM pairing_codes
WHERE code = $1 AND coalesce(device_id, $2) = $2 AND expires_at > timestamptz 'epoch' + $3::bigint * interval '1 microsecond'
FOR UPDATE

-- name: account_code_use
UPDATE pairing_codes SET device_id = $2, claimed_at = timestamptz 'epoch' + $3::bigint * interval '1 microsecond' WHERE code = $1

-- name: account_pairing_find
SELECT device_id, name, role, (extract(epoch FROM paired_at) * 1000000)::bigint AS paired_us
FROM pairings WHERE user_id = $1 AND device_id = $2

-- name: account_pairing_lock_device
-- Whoever changes who is paired with a device waits for the others who do.
SELECT id FROM devices WHERE id = $1 FOR NO KEY UPDATE

-- name: account_pairing_owner
SELECT user_id FROM pairings WHERE device_id = $1 AND role = 'owner'

-- name: account_pairing_put
INSERT INTO pairings (user_id, device_id, name)
SELECT $1, d.id, coalesce(nullif($3, ''), d.name) FROM devices d WHERE d.id = $2
ON CONFLICT (user_id, device_id) DO UPDATE SET name = excluded.name, paired_at = now()
RETURNING name

-- name: account_pairing_add_entry
INSERT INTO topic_entries (user_id, device_id, filter, title) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id, filter) DO UPDATE SET device_id = excluded.device_id WHERE topic_entries.device_id IS NULL

-- name: account_pairing_list
SELECT device_id, name, role, (extract(epoch FROM paired_at) * 1000000)::bigint AS paired_us
FROM pairings WHERE user_id = $1 AND device_id > $2 ORDER BY device_id LIMIT $3

-- name: account_pairing_lock
SELECT device_id, name, role, (extract(epoch FROM paired_at) * 1000000)::bigint AS paired_us
FROM pairings WHERE user_id = $1 AND device_id = $2 FOR UPDATE

-- name: account_pairing_rename
UPDATE pairings SET name = $3 WHERE user_id = $1 AND device_id = $2
RETURNING device_id, name, role, (extract(epoch FROM paired_at) * 1000000)::bigint AS paired_us

-- name: account_pairing_users
SELECT user_id FROM pairings WHERE device_id = $1 ORDER BY user_id

-- name: account_pairing_remove
-- An owner's takes the members' along (trigger pairings_told).
DELETE FROM pairings WHERE user_id = $1 AND device_id = $2

-- name: account_pairing_remove_others
DELETE FROM pairings WHERE device_id = $1 AND user_id <> $2

-- name: account_pairing_remove_all
DELETE FROM pairings WHERE device_id = $1
