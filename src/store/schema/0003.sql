-- Step 3. Whose data a capture holds is found by an index, what every capture has stands in its row, and what redaction
-- replaced is counted by run, so that merging a file twice counts it once.

-- Digests by segment: a run of rows of captures, of which each is indexed once it is full. Those of the segment that is
-- still filled stand in subjects alone; the mark 'subject segments' says which one that is.
CREATE TABLE subject_runs (
  segment INTEGER NOT NULL,                    -- rows of captures, shifted right by 14 bits
  digest BLOB NOT NULL, capture INTEGER NOT NULL, PRIMARY KEY (segment, digest, capture)
) STRICT, WITHOUT ROWID;

-- Header lines, redaction hits and differences, packed as bodies are; their layout stands in `block.rs`.
ALTER TABLE captures ADD COLUMN coding INTEGER NOT NULL DEFAULT 0;
ALTER TABLE captures ADD COLUMN block BLOB NOT NULL DEFAULT x'';
UPDATE captures SET (coding, block) = (SELECT coding, block FROM details WHERE capture = seq)
  WHERE seq IN (SELECT capture FROM details);
DROP TABLE details;

ALTER TABLE hit_totals RENAME TO old_hit_totals;
CREATE TABLE hit_totals (
  integration INTEGER NOT NULL, rule TEXT NOT NULL, run INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (integration, rule, run)
) STRICT, WITHOUT ROWID;
INSERT INTO hit_totals (integration, rule, run, count)
  SELECT integration, rule, coalesce((SELECT max(id) FROM runs), 0), count FROM old_hit_totals;
DROP TABLE old_hit_totals;
