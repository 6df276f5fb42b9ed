-- 0004 scram: log-in by SCRAM-SHA-256 (MQTT 5.0 enhanced authentication). argon2id cannot answer SCRAM's proof, so a second
-- verifier stands beside each hash: "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey", as PostgreSQL writes its own. '' until
-- the password is next set or shown in a successful log-in; the secret of a device likewise.
ALTER TABLE users ADD COLUMN scram text NOT NULL DEFAULT '' CHECK (scram = '' OR scram LIKE 'SCRAM-SHA-256$%');
ALTER TABLE devices ADD COLUMN scram text NOT NULL DEFAULT '' CHECK (scram = '' OR scram LIKE 'SCRAM-SHA-256$%');

-- Random values that all gateways of this database share. scram_fakes: whoever asks for a name that nobody has is shown a salt
-- drawn from it, the same today and tomorrow, and so cannot tell which names exist.
CREATE TABLE shared_secrets (
  name  text PRIMARY KEY,
  value bytea NOT NULL CHECK (length(value) = 32)
);
INSERT INTO shared_secrets VALUES ('scram_fakes', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
