-- 0001 initial: who exists (registry), what was promised (messages and who is owed them), what must still ring (outbox).
-- Why one schema: the inbox, queue and outbox rows of a message commit in one transaction with it, so "delivered or
-- durable" is the database's atomicity and "never twice" is a primary key, not code.

-- ---------------------------------------------------------------- registry

CREATE TABLE users (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  username      text NOT NULL UNIQUE CHECK (length(username) BETWEEN 1 AND 128 AND username !~ '[+#/[:cntrl:]]'),
  password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
  created_at    timestamptz NOT NULL DEFAULT now()
);

-- Opaque bearer tokens. Only their SHA-256 is kept: a stolen table opens nothing. Reaped when expired.
CREATE TABLE access_tokens (
  token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);

-- A device's secret is 256 random bits shown once, so SHA-256 is enough; argon2id is for what people choose.
CREATE TABLE devices (
  id          text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._:-]{1,64}$'),
  name        text NOT NULL DEFAULT '' CHECK (length(name) <= 200),
  secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
  created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  key_hash   bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
  scopes     text[] NOT NULL CHECK (scopes <@ ARRAY['admin', 'publish', 'subscribe'] AND cardinality(scopes) > 0),
  filters    text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);

-- One installation of the app. token is NULL once a provider called it dead; the app is told and registers again.
CREATE TABLE phones (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id            bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  phone_id           text NOT NULL CHECK (length(phone_id) BETWEEN 1 AND 128 AND phone_id !~ '[+#/[:cntrl:]]'),
  client_id          text NOT NULL UNIQUE CHECK (length(client_id) BETWEEN 1 AND 128 AND client_id !~ '[+#/[:cntrl:]]'),
  platform           text NOT NULL CHECK (platform IN ('apns', 'fcm')),
  app_id             text NOT NULL CHECK (length(app_id) BETWEEN 1 AND 255),
  environment        text NOT NULL DEFAULT 'production' CHECK (environment IN ('production', 'sandbox')),
  environment_proven boolean NOT NULL DEFAULT false,
  token              text CHECK (length(token) BETWEEN 1 AND 4096),
  token_kind         text NOT NULL DEFAULT 'token' CHECK (token_kind IN ('token', 'fid')),
  locale             text NOT NULL DEFAULT '' CHECK (length(locale) <= 35),
  registered_at      timestamptz NOT NULL DEFAULT now(),
  created_at         timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, phone_id)
);
-- A token is one installation, across all users: registering it again moves it (contract section 7).
CREATE UNIQUE INDEX phones_token ON phones (platform, app_id, environment, token) WHERE token IS NOT NULL;

CREATE TABLE pairings (
  user_id   bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  device_id text NOT NULL REFERENCES devices ON DELETE CASCADE,
  name      text NOT NULL DEFAULT '' CHECK (length(name) <= 200),
  paired_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, device_id)
);
CREATE INDEX pairings_device ON pairings (device_id);

-- Waiting codes have no device; a claimed one keeps it so that the app can see who came. Reaped when expired.
CREATE TABLE pairing_codes (
  code       text PRIMARY KEY,
  user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  device_id  text REFERENCES devices ON DELETE CASCADE,
  claimed_at timestamptz,
  CHECK ((device_id IS NULL) = (claimed_at IS NULL))
);
CREATE INDEX pairing_codes_user ON pairing_codes (user_id);

-- The topic cache. push holds only what differs from the defaults (contract section 7, section 10).
CREATE TABLE topic_entries (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  device_id  text,
  filter     text NOT NULL CHECK (octet_length(filter) BETWEEN 1 AND 65535),
  title      text NOT NULL DEFAULT '' CHECK (length(title) <= 200),
  subscribed boolean NOT NULL DEFAULT true,
  push       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(push) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, filter),
  FOREIGN KEY (user_id, device_id) REFERENCES pairings ON DELETE CASCADE
);
CREATE INDEX topic_entries_device ON topic_entries (user_id, device_id);

-- More permission by rule (contract section 6): %u is the username, %c the client id.
CREATE TABLE acl_rules (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject text NOT NULL CHECK (subject IN ('user', 'device', 'service', 'all')),
  name    text NOT NULL DEFAULT '',
  action  text NOT NULL CHECK (action IN ('publish', 'subscribe', 'all')),
  filter  text NOT NULL CHECK (octet_length(filter) BETWEEN 1 AND 65535)
);

-- Carries invalidations, never data. The listener loads the user again.
CREATE FUNCTION wake_user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'users' THEN
    PERFORM pg_notify('wake_registry', 'user:' || COALESCE(NEW.id, OLD.id));
  ELSE
    PERFORM pg_notify('wake_registry', 'user:' || COALESCE(NEW.user_id, OLD.user_id));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER users_changed AFTER INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION wake_user_changed();
CREATE TRIGGER phones_changed AFTER INSERT OR UPDATE OR DELETE ON phones FOR EACH ROW EXECUTE FUNCTION wake_user_changed();
CREATE TRIGGER pairings_changed AFTER INSERT OR UPDATE OR DELETE ON pairings FOR EACH ROW EXECUTE FUNCTION wake_user_changed();
CREATE TRIGGER entries_changed AFTER INSERT OR UPDATE OR DELETE ON topic_entries FOR EACH ROW EXECUTE FUNCTION wake_user_changed();

-- ---------------------------------------------------------------- sessions

-- Only sessions that outlive their connection have a row. ends_at is NULL while connected or when the session never ends;
-- a row whose ends_at has passed is removed by the background sweep, and its queue and subscriptions with it.
CREATE TABLE sessions (
  client_id      text PRIMARY KEY,
  principal_kind text NOT NULL CHECK (principal_kind IN ('anonymous', 'user', 'device', 'service')),
  principal_id   text NOT NULL,
  expiry_s       bigint NOT NULL CHECK (expiry_s BETWEEN 1 AND 4294967295),
  ends_at        timestamptz
);
CREATE INDEX sessions_end ON sessions (ends_at) WHERE ends_at IS NOT NULL;

CREATE TABLE subscriptions (
  client_id           text NOT NULL REFERENCES sessions ON DELETE CASCADE,
  filter              text NOT NULL,
  qos                 smallint NOT NULL CHECK (qos BETWEEN 0 AND 2),
  no_local            boolean NOT NULL DEFAULT false,
  retain_as_published boolean NOT NULL DEFAULT false,
  retain_handling     smallint NOT NULL DEFAULT 0 CHECK (retain_handling BETWEEN 0 AND 2),
  subscription_id     bigint NOT NULL DEFAULT 0 CHECK (subscription_id BETWEEN 0 AND 268435455)
);
-- A filter may have 65535 bytes, an index entry at most 2704: the key is its hash. So it is with retained.
CREATE UNIQUE INDEX subscriptions_key ON subscriptions (client_id, (md5(filter)::uuid));

-- ---------------------------------------------------------------- messages and who is owed them

-- id is 64-bit, time-ordered, made by the node (broker-core/types.hpp, MessageId). A row lives while a queue, an inbox or the
-- outbox refers to it; the background sweep removes the others, and those expired (cascade).
CREATE TABLE messages (
  id         bigint PRIMARY KEY,
  topic      text NOT NULL,
  payload    bytea NOT NULL,
  qos        smallint NOT NULL CHECK (qos BETWEEN 0 AND 2),
  retain     boolean NOT NULL,
  properties bytea NOT NULL DEFAULT '',          -- v5 application properties, as on the wire
  publisher  text NOT NULL DEFAULT '',           -- client id; '' for REST
  at         timestamptz NOT NULL,
  expires_at timestamptz NOT NULL                -- 'infinity' when nothing bounds it
);
ALTER TABLE messages ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX messages_expiry ON messages (expires_at) WHERE expires_at < 'infinity';

-- What a session has not acknowledged yet. Removed by its PUBACK.
CREATE TABLE session_queue (
  client_id       text NOT NULL REFERENCES sessions ON DELETE CASCADE,
  message_id      bigint NOT NULL REFERENCES messages ON DELETE CASCADE,
  qos             smallint NOT NULL CHECK (qos BETWEEN 1 AND 2),
  retain          boolean NOT NULL DEFAULT false,
  subscription_id bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (client_id, message_id)
);
CREATE INDEX session_queue_message ON session_queue (message_id);

-- What a user has not acknowledged yet. Removed by POST /v1/me/messages/ack.
CREATE TABLE inbox (
  user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  message_id bigint NOT NULL REFERENCES messages ON DELETE CASCADE,
  entry_id   bigint REFERENCES topic_entries ON DELETE SET NULL,
  expires_at timestamptz NOT NULL,               -- inbox_ttl, or the message's own end when that is sooner
  PRIMARY KEY (user_id, message_id)
);
CREATE INDEX inbox_message ON inbox (message_id);
CREATE INDEX inbox_entry ON inbox (entry_id);
CREATE INDEX inbox_expiry ON inbox (expires_at);

CREATE TABLE retained (
  topic      text NOT NULL,
  message_id bigint NOT NULL,
  payload    bytea NOT NULL,
  qos        smallint NOT NULL CHECK (qos BETWEEN 0 AND 2),
  properties bytea NOT NULL DEFAULT '',
  publisher  text NOT NULL DEFAULT '',
  at         timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX retained_key ON retained ((md5(topic)::uuid));

-- ---------------------------------------------------------------- outbox

-- pending   written with its message; moved on by the dispatcher (sent, failed, expired), by an acknowledgement or unpairing
--           (cancelled), or by a dead token (failed). due_at: not before. claimed_by/claimed_until: which node is at it.
-- the rest  final; kept for /v1/messages/{id}/trace and removed with the message.
CREATE TYPE notification_state AS ENUM ('pending', 'sent', 'failed', 'cancelled', 'expired');
CREATE TABLE outbox (
  message_id    bigint NOT NULL REFERENCES messages ON DELETE CASCADE,
  phone_id      bigint NOT NULL REFERENCES phones ON DELETE CASCADE,
  entry_id      bigint REFERENCES topic_entries ON DELETE SET NULL,
  state         notification_state NOT NULL DEFAULT 'pending',
  reason        text NOT NULL DEFAULT '',        -- why it is as it is: the decision, then the provider's words
  due_at        timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  attempt_count integer NOT NULL DEFAULT 0 CHECK (attempt_count >= 0),
  claimed_by    integer,                         -- node number; its session advisory lock says whether it lives
  claimed_until timestamptz,
  provider_id   text NOT NULL DEFAULT '',        -- apns-id echoed, or FCM's message name
  resolved_at   timestamptz,
  PRIMARY KEY (message_id, phone_id),
  CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
  CHECK ((state = 'pending') = (resolved_at IS NULL))
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'pending';
CREATE INDEX outbox_phone ON outbox (phone_id) WHERE state = 'pending';
CREATE INDEX outbox_entry ON outbox (entry_id);
