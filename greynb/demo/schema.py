"""The collector's tables that a season fills: columns with the types the collector declares.

A leading ``*`` marks a primary key, a trailing ``!`` a column declared NOT NULL. The odd types
(``NUM`` for a timestamp, ``TEXT`` for a time in seconds) are the collector's own.
"""

from __future__ import annotations

from greynb.databases.identifiers import quote

_RACE_DATA_HEAD = "id {int}, race_id TEXT, dog_name TEXT, dog_clean_name TEXT, dog_id {int}, box_number {int}"
_RACE_DATA_MIDDLE = """
    trainer_name TEXT, trainer_id {int}, weight REAL, running_style TEXT, odds_decimal REAL,
    odds_fractional TEXT, starting_price REAL, individual_time TEXT, sectional_1st TEXT, sectional_2nd TEXT,
    sectional_3rd TEXT, margin TEXT, beaten_margin REAL, was_scratched {flag}, blackbook_link TEXT,
    extraction_timestamp {stamp}, data_source TEXT, form_guide_json TEXT, historical_records TEXT,
    performance_rating REAL, speed_rating REAL, class_rating REAL, recent_form TEXT, win_probability REAL,
    place_probability REAL, scraped_trainer_name TEXT, scraped_reaction_time TEXT, scraped_nbtt TEXT,
    scraped_race_classification TEXT, scraped_raw_result TEXT, scraped_finish_position TEXT, best_time REAL,
    data_quality_note TEXT"""

_TABLES: dict[str, str] = {
    "alembic_version": "*version_num VARCHAR(32)!",
    "dog_race_data": f"{_RACE_DATA_HEAD}, {_RACE_DATA_MIDDLE}".format(int="INT", flag="NUM", stamp="NUM")
    + ", finish_position INTEGER, odds TEXT, trainer TEXT, winning_time TEXT, placing INTEGER, form TEXT",
    "dog_race_data_backup": f"*{_RACE_DATA_HEAD}, finish_position TEXT, {_RACE_DATA_MIDDLE}".format(
        int="INTEGER", flag="BOOLEAN", stamp="DATETIME"
    ),
    "dogs": """*dog_id INTEGER, dog_name TEXT!, total_races INTEGER, total_wins INTEGER, total_places INTEGER,
        best_time REAL, average_position REAL, last_race_date TEXT, created_at TIMESTAMP, weight DECIMAL(5;2),
        age INTEGER, id INTEGER, color TEXT, owner TEXT, trainer TEXT, sex TEXT""",
    "enhanced_expert_data": """*id INTEGER, race_id TEXT, dog_name TEXT, dog_clean_name TEXT, venue TEXT,
        race_date TEXT, race_number INTEGER, position INTEGER, box_number INTEGER, weight REAL,
        distance INTEGER, grade TEXT, race_time REAL, win_time REAL, bonus_time REAL, first_sectional REAL,
        margin REAL, pir_rating INTEGER, starting_price REAL, extraction_timestamp TEXT, data_source TEXT""",
    "live_odds": """*id INTEGER, race_id TEXT, venue TEXT, race_number INTEGER, race_date DATE,
        race_time TEXT, dog_name TEXT, dog_clean_name TEXT, box_number INTEGER, odds_decimal REAL,
        odds_fractional TEXT, market_type TEXT, source TEXT, timestamp DATETIME, is_current BOOLEAN""",
    "odds_history": """*id INTEGER, race_id TEXT, dog_clean_name TEXT, odds_decimal REAL, odds_change REAL,
        timestamp DATETIME, source TEXT""",
    "predictions": """*id INTEGER, race_id TEXT, dog_clean_name TEXT, predicted_probability REAL,
        confidence_level TEXT, prediction_source TEXT, timestamp DATETIME""",
    "race_metadata": """*id INTEGER, race_id TEXT, venue TEXT, race_number INTEGER, race_date DATE,
        race_name TEXT, grade TEXT, distance TEXT, track_condition TEXT, weather TEXT, temperature REAL,
        humidity REAL, wind_speed REAL, wind_direction TEXT, track_record TEXT, prize_money_total REAL,
        prize_money_breakdown TEXT, race_time TEXT, field_size INTEGER, url TEXT,
        extraction_timestamp DATETIME, data_source TEXT, winner_name TEXT, winner_odds REAL,
        winner_margin REAL, race_status TEXT, data_quality_note TEXT, actual_field_size INTEGER,
        scratched_count INTEGER, scratch_rate REAL, box_analysis TEXT, weather_condition TEXT,
        precipitation REAL, pressure REAL, visibility REAL, weather_location TEXT,
        weather_timestamp DATETIME, weather_adjustment_factor REAL, sportsbet_url TEXT, venue_slug TEXT,
        start_datetime DATETIME""",
    "track_condition_backup_20250724_185411": """race_id TEXT, track_condition TEXT, weather TEXT, url TEXT,
        extraction_timestamp NUM""",
    "track_conditions": """*id INTEGER, venue TEXT, date DATE, condition TEXT, rail_position TEXT,
        track_rating REAL, weather_conditions TEXT, temperature REAL, humidity REAL, wind_conditions TEXT,
        track_bias TEXT, extraction_timestamp DATETIME""",
    "trainers": """*id INTEGER, trainer_name TEXT!, trainer_id INTEGER, total_races INTEGER,
        total_wins INTEGER, total_places INTEGER, win_percentage REAL, place_percentage REAL,
        created_at DATETIME, updated_at DATETIME""",
    "venue_mappings": """*id INTEGER, venue_key TEXT!, official_name TEXT!, venue_codes TEXT!,
        track_codes TEXT!, location TEXT!, active BOOLEAN, created_at DATETIME""",
    "weather_data": """*id INTEGER, venue_code TEXT!, race_date DATE!, race_time DATETIME, temperature REAL,
        humidity REAL, wind_speed REAL, wind_direction TEXT, pressure REAL, condition TEXT,
        precipitation REAL, visibility REAL, uv_index REAL, data_source TEXT, collection_timestamp DATETIME,
        confidence REAL""",
}

# Constraints that the collector declares inside its tables.
_UNIQUE: dict[str, str] = {
    "dog_race_data_backup": "race_id|dog_clean_name|box_number",
    "dogs": "dog_name",
    "enhanced_expert_data": "race_id|dog_clean_name",
    "race_metadata": "race_id",
    "trainers": "trainer_name",
    "weather_data": "venue_code|race_date|race_time",
}

# Indexes beside them: table, name, unique, columns.
_INDEXES: tuple[tuple[str, str, bool, str], ...] = (
    ("dog_race_data", "idx_dog_race_unique", True, "race_id|dog_clean_name|box_number"),
    ("dog_race_data", "idx_dog_race_data_race_id", False, "race_id"),
    ("dog_race_data", "idx_dog_name", False, "dog_clean_name"),
    ("dog_race_data", "idx_dog_race_data_finish_position", False, "finish_position"),
    ("enhanced_expert_data", "idx_enhanced_race_date", False, "race_date"),
    ("enhanced_expert_data", "idx_enhanced_dog_name", False, "dog_clean_name"),
    ("race_metadata", "idx_race_metadata_unique", True, "race_id"),
    ("race_metadata", "idx_race_metadata_date", False, "race_date"),
    ("race_metadata", "idx_race_metadata_venue_date", False, "venue|race_date"),
)


def create_statements() -> list[str]:
    """Give the CREATE TABLE statements."""
    return [f"CREATE TABLE {quote(table)} ({_definition(table)})" for table in _TABLES]


def index_statements() -> list[str]:
    """Give the CREATE INDEX statements, to be run when the rows are in."""
    return [
        f"CREATE {'UNIQUE ' if unique else ''}INDEX {quote(name)} ON {quote(table)} ({_columns(columns)})"
        for table, name, unique, columns in _INDEXES
    ]


def _definition(table: str) -> str:
    parts = [_column(text.strip()) for text in _TABLES[table].split(",")]
    if table in _UNIQUE:
        parts.append(f"UNIQUE ({_columns(_UNIQUE[table])})")
    return ", ".join(parts)


def _column(text: str) -> str:
    name, declared = text.lstrip("*").split(" ", 1)
    key = " PRIMARY KEY" if text.startswith("*") else ""
    required = " NOT NULL" if text.endswith("!") else ""
    return f"{quote(name)} {declared.rstrip('!').replace(';', ',')}{key}{required}"


def _columns(names: str) -> str:
    return ", ".join(quote(name) for name in names.split("|"))
