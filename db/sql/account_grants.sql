-- What a principal may do (db/account_grants.cpp).

-- name: account_grants_devices
SELECT device_id FROM pairings WHERE user_id = $1 ORDER BY device_id COLLATE "C"

-- name: account_grants_rules
SELECT action, filter FROM acl_rules
WHERE subject IN ($1, 'all') AND name IN ('', $2) ORDER BY id
