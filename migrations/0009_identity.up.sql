-- 0009 identity: log-ins of people that are refreshed and revoked one by one; accounts and devices whose password somebody else
-- keeps (an identity provider, the operator's back end); rules that a back end's answer gave, beside the operator's own.

-- One log-in with a password: what POST /v1/auth/token made, until it is revoked or not refreshed in time. A refresh token is
-- FAMILY.CURRENT: the family finds the row for as long as it lives, the current part changes with every refresh. A family shown
-- with a part that is neither the current one nor, for a moment, the one before, was copied: the row goes, and all tokens of it.
-- So one row is kept however often it is refreshed. Reaped when expired.
CREATE TABLE logins (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id      bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  family_hash  bytea NOT NULL UNIQUE CHECK (length(family_hash) = 32),
  current_hash bytea NOT NULL CHECK (length(current_hash) = 32),
  former_hash  bytea CHECK (length(former_hash) = 32),
  rotated_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL
);
CREATE INDEX logins_user ON logins (user_id, rotated_at);
CREATE INDEX logins_expiry ON logins (expires_at);

-- NULL: made before there were log-ins; ends by itself.
ALTER TABLE access_tokens ADD COLUMN login_id bigint REFERENCES logins ON DELETE CASCADE;
CREATE INDEX access_tokens_login ON access_tokens (login_id, expires_at);
CREATE INDEX access_tokens_user ON access_tokens (user_id);

-- token:USER:LOGIN, the connections made by its tokens end.
CREATE FUNCTION wake_login_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('wake_registry', 'token:' || OLD.user_id || ':' || OLD.id);
  RETURN NULL;
END $$;
CREATE TRIGGER logins_gone AFTER DELETE ON logins FOR EACH ROW EXECUTE FUNCTION wake_login_revoked();

-- '': nothing that anybody could show here opens it; who it is, an identity provider's JWT or the back end says.
ALTER TABLE users DROP CONSTRAINT users_password_hash_check,
  ADD CONSTRAINT users_password_hash_check CHECK (password_hash = '' OR password_hash LIKE '$argon2id$%');
ALTER TABLE devices DROP CONSTRAINT devices_secret_hash_check,
  ADD CONSTRAINT devices_secret_hash_check CHECK (length(secret_hash) IN (0, 32));

-- webhook: what the back end's last answer about this user or device gave; replaced by its next, gone with who it is about.
ALTER TABLE acl_rules ADD COLUMN source text NOT NULL DEFAULT 'operator' CHECK (source IN ('operator', 'webhook'));
CREATE INDEX acl_rules_name ON acl_rules (subject, name);

CREATE FUNCTION wake_webhook_rules_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM acl_rules WHERE source = 'webhook' AND subject = TG_ARGV[0] AND name = to_jsonb(OLD) ->> TG_ARGV[1];
  RETURN NULL;
END $$;
CREATE TRIGGER users_webhook_gone AFTER DELETE ON users FOR EACH ROW
  EXECUTE FUNCTION wake_webhook_rules_end('user', 'username');
CREATE TRIGGER users_webhook_left AFTER UPDATE OF password_hash ON users FOR EACH ROW
  WHEN (OLD.password_hash = '' AND NEW.password_hash <> '') EXECUTE FUNCTION wake_webhook_rules_end('user', 'username');
CREATE TRIGGER devices_webhook_gone AFTER DELETE ON devices FOR EACH ROW
  EXECUTE FUNCTION wake_webhook_rules_end('device', 'id');
CREATE TRIGGER devices_webhook_left AFTER UPDATE OF secret_hash ON devices FOR EACH ROW
  WHEN (OLD.secret_hash = '' AND NEW.secret_hash <> '') EXECUTE FUNCTION wake_webhook_rules_end('device', 'id');
