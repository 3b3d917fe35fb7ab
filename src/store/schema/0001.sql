-- Step 1. Never change this file once released: its hash is recorded in every store. Times are microseconds since the
-- Unix epoch unless a name says otherwise; codes are the positions in the enums of `exchange`, `latency` and `compare`.

CREATE TABLE migrations (step INTEGER PRIMARY KEY, sha256 TEXT NOT NULL) STRICT;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  instance TEXT NOT NULL, config_hash TEXT NOT NULL, version TEXT NOT NULL,
  started_us INTEGER NOT NULL,
  stopped_us INTEGER,                        -- absent: records now, or died
  ended_unknown INTEGER NOT NULL DEFAULT 0,  -- 1: found without a stop when the next run opened the store
  captures INTEGER NOT NULL DEFAULT 0, last_capture_us INTEGER
) STRICT;
CREATE INDEX runs_open ON runs (id) WHERE stopped_us IS NULL AND ended_unknown = 0;

CREATE TABLE integrations (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE endpoints (
  id INTEGER PRIMARY KEY, integration INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (integration, name)
) STRICT;
CREATE TABLE rule_sets (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE) STRICT;

-- AUTOINCREMENT: a row number must never come back after pruning, the rows of other tables are found by it.
CREATE TABLE captures (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,                   -- UUIDv7: sorted by time, so the index grows at its end
  run INTEGER NOT NULL, integration INTEGER NOT NULL, endpoint INTEGER NOT NULL, rule_set INTEGER NOT NULL,
  received_us INTEGER NOT NULL, outcome INTEGER NOT NULL,        -- the shadow's
  method TEXT NOT NULL, target TEXT NOT NULL,
  body INTEGER, body_seen INTEGER NOT NULL, body_drop INTEGER,   -- the request's
  verdict TEXT NOT NULL
) STRICT;
CREATE INDEX captures_by_time ON captures (received_us);
CREATE INDEX captures_by_integration ON captures (integration, received_us);
CREATE INDEX captures_by_endpoint ON captures (endpoint, received_us);
CREATE INDEX captures_by_outcome ON captures (integration, outcome, received_us);
CREATE INDEX captures_by_body ON captures (body) WHERE body IS NOT NULL;

CREATE TABLE exchanges (
  id INTEGER PRIMARY KEY,                    -- capture * 2 + role
  status INTEGER, outcome INTEGER NOT NULL, failure INTEGER, started_us INTEGER NOT NULL,
  queue_wait_us INTEGER NOT NULL, connect_us INTEGER, ttfb_us INTEGER, total_us INTEGER NOT NULL,
  body INTEGER, body_seen INTEGER NOT NULL, body_drop INTEGER
) STRICT;
CREATE INDEX exchanges_by_body ON exchanges (body) WHERE body IS NOT NULL;

CREATE TABLE headers (
  id INTEGER PRIMARY KEY,                    -- capture * 4 + 0 primary, 1 shadow, 2 request
  lines BLOB NOT NULL                        -- zstd of name length u16, name, value length u32, value; big-endian
) STRICT;

-- Equal bodies near each other in time share a row. No index on the digest: every insert would be a random write.
CREATE TABLE bodies (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 BLOB NOT NULL, size INTEGER NOT NULL,
  coding INTEGER NOT NULL,                   -- 0 as it is, 1 zstd
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE hits (
  capture INTEGER NOT NULL, n INTEGER NOT NULL, rule TEXT NOT NULL, side TEXT NOT NULL, part TEXT NOT NULL,
  count INTEGER NOT NULL, PRIMARY KEY (capture, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE hit_totals (
  integration INTEGER NOT NULL, rule TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (integration, rule)
) STRICT, WITHOUT ROWID;
CREATE TABLE differences (
  capture INTEGER NOT NULL, n INTEGER NOT NULL, path TEXT NOT NULL, what INTEGER NOT NULL, PRIMARY KEY (capture, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE series (
  id INTEGER PRIMARY KEY, integration TEXT NOT NULL, endpoint TEXT NOT NULL,
  role INTEGER NOT NULL, outcome INTEGER NOT NULL, phase INTEGER NOT NULL,
  UNIQUE (integration, endpoint, role, outcome, phase)
) STRICT;
-- A rowid table on purpose: without rowids, blobs past a quarter page spill and the file triples.
CREATE TABLE hist (
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, t0 INTEGER NOT NULL /* seconds */, run INTEGER NOT NULL,
  n INTEGER NOT NULL, sum_us INTEGER NOT NULL, min_us INTEGER, max_us INTEGER, crc32 INTEGER NOT NULL,
  blob BLOB NOT NULL, UNIQUE (series, t0, run)
) STRICT;
CREATE INDEX hist_by_time ON hist (t0);

CREATE TABLE ledger (
  integration TEXT NOT NULL, state TEXT NOT NULL, run INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (integration, state, run)
) STRICT, WITHOUT ROWID;

CREATE TABLE switches (
  id INTEGER PRIMARY KEY, integration TEXT NOT NULL, is_on INTEGER NOT NULL, sample_ppm INTEGER NOT NULL,
  revision INTEGER NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL, at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX switches_by_integration ON switches (integration, id);

-- For people with `sqlite3`.
CREATE VIEW v_exchanges AS
  SELECT lower(hex(c.id)) AS capture, i.name AS integration, p.name AS endpoint,
    CASE e.id & 1 WHEN 0 THEN 'primary' ELSE 'shadow' END AS role,
    datetime(c.received_us / 1000000, 'unixepoch') AS received_utc, c.method, c.target, e.status,
    CASE e.outcome WHEN 0 THEN 'ok' WHEN 1 THEN 'ok_but_error' WHEN 2 THEN 'client_4xx' WHEN 3 THEN 'throttled_429'
      WHEN 4 THEN 'server_5xx' WHEN 5 THEN 'network_error' WHEN 6 THEN 'timeout' WHEN 7 THEN 'aborted'
      ELSE 'unknown' END AS outcome,
    e.ttfb_us, e.total_us, e.body_seen AS body_bytes, c.verdict
  FROM exchanges e JOIN captures c ON c.seq = e.id >> 1
    JOIN endpoints p ON p.id = c.endpoint JOIN integrations i ON i.id = c.integration;
CREATE VIEW v_latency AS
  SELECT s.integration, s.endpoint, CASE s.role WHEN 0 THEN 'primary' ELSE 'shadow' END AS role,
    CASE s.outcome WHEN 0 THEN 'ok' WHEN 1 THEN 'ok_but_error' WHEN 2 THEN 'client_4xx' WHEN 3 THEN 'throttled_429'
      WHEN 4 THEN 'server_5xx' WHEN 5 THEN 'network_error' WHEN 6 THEN 'timeout' WHEN 7 THEN 'aborted'
      ELSE 'unknown' END AS outcome,
    CASE s.phase WHEN 0 THEN 'queue_wait' WHEN 1 THEN 'connect' WHEN 2 THEN 'ttfb' ELSE 'total' END AS phase,
    datetime(h.t0, 'unixepoch') AS interval_utc, h.run, h.n, h.sum_us / h.n AS mean_us, h.min_us, h.max_us
  FROM hist h JOIN series s ON s.id = h.series WHERE h.n > 0;
