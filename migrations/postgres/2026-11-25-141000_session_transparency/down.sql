-- What stood there without keeping anybody busy stands there on record.
UPDATE claims SET overlap_reason = 'OWNER_EDIT' WHERE overlap_reason = 'TRANSPARENT';
ALTER TABLE sessions DROP COLUMN transparent;
