-- Several users of one device: its owner, members, invitations (db/account_members.cpp).

-- name: account_member_list
SELECT u.username, p.role, (extract(epoch FROM p.paired_at) * 1000000)::bigint AS paired_us
FROM pairings p JOIN users u ON u.id = p.user_id
WHERE p.device_id = $1 AND u.username > $2 ORDER BY u.username LIMIT $3

-- name: account_member_find
SELECT p.user_id FROM pairings p JOIN users u ON u.id = p.user_id WHERE p.device_id = $1 AND u.username = $2

-- name: account_member_count
SELECT count(*) FROM pairings WHERE device_id = $1

-- name: account_member_set_role
UPDATE pairings SET role = $3 WHERE device_id = $1 AND user_id = $2

-- name: account_member_add
-- The name is the owner's word for the device unless the new one has an own.
INSERT INTO pairings (user_id, device_id, name)
SELECT $2, p.device_id, coalesce(nullif($3, ''), p.name) FROM pairings p WHERE p.device_id = $1 AND p.role = 'owner'
ON CONFLICT (user_id, device_id) DO NOTHING

-- name: account_member_copy_entries
-- What the device brought to its owner, with the usual policy. An entry that the new one has already stays as it is.
INSERT INTO topic_entries (user_id, device_id, filter, title)
SELECT $2, e.device_id, e.filter, e.title FROM topic_entries e
WHERE e.device_id = $1 AND e.user_id = (SELECT user_id FROM pairings WHERE device_id = $1 AND role = 'owner')
ON CONFLICT (user_id, filter) DO UPDATE SET device_id = excluded.device_id WHERE topic_entries.device_id IS NULL

-- name: account_invitation_trim
-- Keeps the newest $2 waiting invitations to the device.
DELETE FROM invitations WHERE code IN (
  SELECT code FROM invitations WHERE device_id = $1 AND accepted_by IS NULL ORDER BY expires_at DESC, code OFFSET $2)

-- name: account_invitation_add
INSERT INTO invitations (code, user_id, device_id, role, expires_at)
VALUES ($1, $2, $3, $4, timestamptz 'epoch' + $5::bigint * interval '1 microsecond') ON CONFLICT (code) DO NOTHING

-- name: account_invitation_list
SELECT code, device_id, role, (extract(epoch FROM expires_at) * 1000000)::bigint AS expires_us
FROM invitations
WHERE device_id = $1 AND user_id = $2 AND accepted_by IS NULL AND expires_at > timestamptz 'epoch' + $3::bigint * interval '1 microsecond'
ORDER BY expires_at, code

-- name: account_invitation_remove
DELETE FROM invitations WHERE code = $1 AND user_id = $2 AND device_id = $3 AND accepted_by IS NULL

-- name: account_invitation_find
-- Waiting, or accepted by this user.
SELECT device_id, role, user_id, accepted_by IS NOT NULL AS is_accepted FROM invitations
WHERE code = $1 AND coalesce(accepted_by, $2) = $2 AND expires_at > timestamptz 'epoch' + $3::bigint * interval '1 microsecond'

-- name: account_invitation_accept
UPDATE invitations SET accepted_by = $2 WHERE code = $1 AND accepted_by IS NULL
