-- A node's number is a session-level advisory lock (class 0x77616b65, "wake"): it is free again when its holder's connection
-- ends, however that came. db/node_lease.cpp takes it, living_nodes() tells which are held.

-- name: installation_mark
-- pg_control_system() may be called by everybody; a dump restored elsewhere gets another mark.
SELECT left(md5(system_identifier::text || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())), 16)
FROM pg_control_system()

-- name: try_node_lock
SELECT pg_try_advisory_lock(2002873189, $1)

-- name: try_bridge_lock
-- Class 0x77616b66: the bridges. Two names of one hash are then run by the same gateway, which harms nobody.
SELECT pg_try_advisory_lock(2002873190, hashtext($1))

-- name: forget_bridges
DELETE FROM bridge_filters WHERE bridge <> ALL ($1::text[])

-- name: add_bridge_filters
INSERT INTO bridge_filters (bridge, filter) SELECT DISTINCT $1::text, f.filter FROM unnest($2::text[]) AS f (filter)
ON CONFLICT DO NOTHING

-- name: other_bridge_filters
SELECT filter FROM bridge_filters WHERE bridge = $1 AND filter <> ALL ($2::text[]) ORDER BY filter
