-- Rules that give more permission (db/account_rules.cpp).

-- name: account_rule_add
INSERT INTO acl_rules (subject, name, action, filter) VALUES ($1, $2, $3, $4) RETURNING id, subject, name, action, filter, source

-- name: account_rule_list
SELECT id, subject, name, action, filter, source FROM acl_rules WHERE id > $1 ORDER BY id LIMIT $2

-- name: account_rule_remove
DELETE FROM acl_rules WHERE id = $1 RETURNING id, subject, name, action, filter, source

-- name: account_rule_webhook_list
SELECT action, filter FROM acl_rules WHERE source = 'webhook' AND subject = $1 AND name = $2 ORDER BY id

-- name: account_rule_webhook_lock
-- Of two answers about one name the later replaces the earlier.
SELECT pg_advisory_xact_lock(x'77616872'::integer, hashtext($1))

-- name: account_rule_webhook_drop
DELETE FROM acl_rules WHERE source = 'webhook' AND subject = $1 AND name = $2

-- name: account_rule_webhook_add
INSERT INTO acl_rules (subject, name, action, filter, source)
SELECT $1, $2, action, filter, 'webhook' FROM unnest($3::text[], $4::text[]) AS given (action, filter)
