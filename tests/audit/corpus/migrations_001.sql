CREATE TABLE bets (id INTEGER PRIMARY KEY, note TEXT DEFAULT 'see x.db');
CREATE TRIGGER bets_after AFTER INSERT ON bets BEGIN
  UPDATE bets SET note = 'attach greyhound_racing_data.db' WHERE id = new.id;
END;
.mode csv
.open greyhound_racing_data.db -- expect: raw-connect:warning
