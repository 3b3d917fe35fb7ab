-- Step 2. One row a capture where step 1 had seven, bodies with an owner instead of two indexes, and no index whose inserts
-- go to random pages. Times are microseconds since the Unix epoch unless a name says otherwise; codes are the positions in
-- the enums of `exchange`, `latency` and `compare`. What step 1 stored is carried over by `convert.rs` and its tables dropped.

DROP VIEW v_exchanges;
DROP VIEW v_latency;
ALTER TABLE captures RENAME TO old_captures;
ALTER TABLE exchanges RENAME TO old_exchanges;
ALTER TABLE headers RENAME TO old_headers;
ALTER TABLE hits RENAME TO old_hits;
ALTER TABLE differences RENAME TO old_differences;
ALTER TABLE bodies RENAME TO old_bodies;
ALTER TABLE ledger RENAME TO old_ledger;

-- Row numbers are given by the writer and never twice: what is pruned must not come back under another capture's number.
CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

ALTER TABLE runs ADD COLUMN limits TEXT NOT NULL DEFAULT '';          -- JSON: the limits in force
ALTER TABLE runs ADD COLUMN last_commit_us INTEGER;
-- What a run that died may have lost: from its last commit until the file was opened again.
CREATE TABLE gaps (run INTEGER PRIMARY KEY, from_us INTEGER NOT NULL, to_us INTEGER NOT NULL, pending INTEGER NOT NULL) STRICT;

-- The kinds of captures. They are what every filter looks up, and what variety is: each keeps its newest.
CREATE TABLE classes (
  id INTEGER PRIMARY KEY, integration INTEGER NOT NULL, endpoint INTEGER NOT NULL,
  outcome INTEGER NOT NULL, status INTEGER NOT NULL,   -- the shadow's; status 0: none, or one of too many
  primary_outcome INTEGER NOT NULL,                    -- -1: there is no primary
  speed INTEGER NOT NULL,                              -- half the bits of the shadow's total_us: each is four times the last
  shape INTEGER NOT NULL,                              -- of the shadow's JSON; 0: none, 1: one of too many
  captures INTEGER NOT NULL DEFAULT 0,                 -- how many there are
  UNIQUE (endpoint, outcome, status, primary_outcome, speed, shape)
) STRICT;
CREATE INDEX classes_by_integration ON classes (integration);
-- Which rules struck, by name with commas.
CREATE TABLE hit_sets (id INTEGER PRIMARY KEY, rules TEXT NOT NULL UNIQUE) STRICT;

-- A body is a row of `bodies`; absent: there was none; -1: it was pruned.
CREATE TABLE captures (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,                             -- UUIDv7: sorted by time, so the index grows at its end
  run INTEGER NOT NULL, class INTEGER NOT NULL, hit_set INTEGER NOT NULL, rule_set INTEGER NOT NULL,
  received_us INTEGER NOT NULL,
  method TEXT NOT NULL, target TEXT NOT NULL, verdict TEXT NOT NULL,
  body INTEGER, body_seen INTEGER NOT NULL, body_drop INTEGER,                    -- the request's
  p_after_us INTEGER, p_status INTEGER, p_outcome INTEGER, p_failure INTEGER,     -- the primary's; p_outcome absent: none
  p_queue_wait_us INTEGER, p_connect_us INTEGER, p_ttfb_us INTEGER, p_total_us INTEGER,
  p_body INTEGER, p_body_seen INTEGER, p_body_drop INTEGER,
  s_after_us INTEGER NOT NULL, s_status INTEGER, s_outcome INTEGER NOT NULL, s_failure INTEGER,     -- the shadow's
  s_queue_wait_us INTEGER NOT NULL, s_connect_us INTEGER, s_ttfb_us INTEGER, s_total_us INTEGER NOT NULL,
  s_body INTEGER, s_body_seen INTEGER NOT NULL, s_body_drop INTEGER
) STRICT;
-- The two indexes beside the id's grow at the end of each class and of each set: few pages, all of them in memory. The
-- shadow's time is in the first, so that "slower than" is answered without the rows.
CREATE INDEX captures_by_class ON captures (class, received_us, s_total_us);
CREATE INDEX captures_by_hits ON captures (hit_set, received_us);

-- Header lines, redaction hits and differences of a capture in one block; its layout stands in `codec.rs`.
CREATE TABLE details (
  capture INTEGER PRIMARY KEY,
  coding INTEGER NOT NULL,                   -- as in bodies
  block BLOB NOT NULL
) STRICT;

-- Equal bodies near each other in time share a row. No index on the digest: every insert would be a random write.
CREATE TABLE bodies (
  id INTEGER PRIMARY KEY,
  owner INTEGER NOT NULL,                    -- the capture it came with; other captures that have it are in repeats
  sha256 BLOB NOT NULL, size INTEGER NOT NULL,
  coding INTEGER NOT NULL,                   -- 0 as it is, 1 zstd, else zstd with that dictionary
  bytes BLOB NOT NULL
) STRICT;
CREATE TABLE repeats (body INTEGER NOT NULL, capture INTEGER NOT NULL, PRIMARY KEY (body, capture)) STRICT, WITHOUT ROWID;
-- Trained from an integration's own redacted bodies, of what very many of them share.
CREATE TABLE dictionaries (
  id INTEGER PRIMARY KEY, integration TEXT NOT NULL, made_us INTEGER NOT NULL, sha256 BLOB NOT NULL, bytes BLOB NOT NULL
) STRICT;

-- Keyed digests, 16 bytes each, of the persons in a capture. Read from end to end to erase someone, which is rare: an index
-- would make every capture a random write.
CREATE TABLE subjects (capture INTEGER PRIMARY KEY, digests BLOB NOT NULL) STRICT;
CREATE TABLE erasures (
  id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, who TEXT NOT NULL, captures INTEGER NOT NULL, bodies INTEGER NOT NULL,
  proofs BLOB NOT NULL                       -- rolling hashes of what must not be found any more, 8 bytes each
) STRICT;

-- Calls of methods that are not safe, from before they are sent until their capture is stored. Those of a run that died
-- become captures of outcome unknown: the provider may have processed them.
CREATE TABLE intents (
  id BLOB PRIMARY KEY, run INTEGER NOT NULL, integration TEXT NOT NULL, endpoint TEXT NOT NULL, method TEXT NOT NULL,
  target TEXT NOT NULL, idempotency_key TEXT, rules TEXT NOT NULL, at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX intents_by_run ON intents (run);

-- Captures that size let live for variety although older than what it took: looked at again.
CREATE TABLE kept (capture INTEGER PRIMARY KEY) STRICT;

ALTER TABLE hist ADD COLUMN dur_s INTEGER NOT NULL DEFAULT 600;
DROP INDEX hist_by_time;
CREATE INDEX hist_by_age ON hist (dur_s, t0);
CREATE TABLE ledger (
  integration TEXT NOT NULL, t0 INTEGER NOT NULL /* seconds */, state TEXT NOT NULL, run INTEGER NOT NULL,
  dur_s INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (integration, t0, state, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_age ON ledger (dur_s, t0);
CREATE INDEX ledger_by_run ON ledger (run);

-- For people with `sqlite3`: one row an exchange, newest last.
CREATE VIEW v_exchanges AS
  WITH both AS (
    SELECT seq, 'primary' AS role, p_after_us AS after_us, p_status AS status, p_outcome AS outcome, p_ttfb_us AS ttfb_us,
      p_total_us AS total_us, p_body_seen AS body_bytes FROM captures WHERE p_outcome IS NOT NULL
    UNION ALL
    SELECT seq, 'shadow', s_after_us, s_status, s_outcome, s_ttfb_us, s_total_us, s_body_seen FROM captures)
  SELECT lower(substr(hex(c.id), 1, 8) || '-' || substr(hex(c.id), 9, 4) || '-' || substr(hex(c.id), 13, 4) || '-' ||
      substr(hex(c.id), 17, 4) || '-' || substr(hex(c.id), 21)) AS capture,
    i.name AS integration, p.name AS endpoint, b.role,
    strftime('%Y-%m-%d %H:%M:%f', c.received_us / 1e6, 'unixepoch') AS received_utc, c.method, c.target, b.status,
    CASE b.outcome WHEN 0 THEN 'ok' WHEN 1 THEN 'ok_but_error' WHEN 2 THEN 'client_4xx' WHEN 3 THEN 'throttled_429'
      WHEN 4 THEN 'server_5xx' WHEN 5 THEN 'network_error' WHEN 6 THEN 'timeout' WHEN 7 THEN 'aborted'
      ELSE 'unknown' END AS outcome,
    b.ttfb_us, b.total_us, b.body_bytes, c.verdict, h.rules AS redacted
  FROM captures c JOIN both b ON b.seq = c.seq JOIN classes k ON k.id = c.class JOIN endpoints p ON p.id = k.endpoint
    JOIN integrations i ON i.id = k.integration JOIN hit_sets h ON h.id = c.hit_set;
-- One row a series and interval; the whole distribution is in hist.blob (HdrHistogram V2).
CREATE VIEW v_latency AS
  SELECT s.integration, s.endpoint, CASE s.role WHEN 0 THEN 'primary' ELSE 'shadow' END AS role,
    CASE s.outcome WHEN 0 THEN 'ok' WHEN 1 THEN 'ok_but_error' WHEN 2 THEN 'client_4xx' WHEN 3 THEN 'throttled_429'
      WHEN 4 THEN 'server_5xx' WHEN 5 THEN 'network_error' WHEN 6 THEN 'timeout' WHEN 7 THEN 'aborted'
      ELSE 'unknown' END AS outcome,
    CASE s.phase WHEN 0 THEN 'queue_wait' WHEN 1 THEN 'connect' WHEN 2 THEN 'ttfb' ELSE 'total' END AS phase,
    datetime(h.t0, 'unixepoch') AS interval_utc, h.dur_s AS interval_s, h.run, h.n, h.sum_us / h.n AS mean_us,
    h.min_us, h.max_us
  FROM hist h JOIN series s ON s.id = h.series WHERE h.n > 0;
