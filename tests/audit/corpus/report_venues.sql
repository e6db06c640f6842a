-- By its name this only reads.
CREATE TEMP TABLE picks AS SELECT * FROM predictions;
SELECT venue, count(*) FROM race_metadata GROUP BY venue;
UPDATE race_metadata SET venue = upper(venue); -- expect: readonly-write:error
ATTACH DATABASE 'greyhound_racing_data_stage.db' AS stage; -- expect: raw-connect:warning
