-- The migrator's own bookkeeping (db/migrate.cpp). Migrations themselves are in migrations/.

-- name: create_schema_migrations
CREATE TABLE IF NOT EXISTS schema_migrations (
  version    integer PRIMARY KEY,
  name       text NOT NULL,
  checksum   text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)

-- name: has_schema_migrations
SELECT to_regclass('schema_migrations') IS NOT NULL

-- name: list_applied_migrations
SELECT version, name, checksum FROM schema_migrations ORDER BY version

-- name: record_migration
INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)

-- name: lock_migrations
-- One migrator at a time in a database; 'wakemq m' as a number. Held until the session ends.
SELECT pg_advisory_lock(x'77616b656d71206d'::bigint)
