"""Writing form guides in the collector's CSV format: the last runs of each dog of a race."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greynb.demo.places import VENUES
from greynb.demo.season import Season

if TYPE_CHECKING:
    import pandas as pd

HEADER = "Dog Name,Sex,PLC,BOX,WGT,DIST,DATE,TRACK,G,TIME,WIN,BON,1 SEC,MGN,W/2G,PIR,SP"
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_RUNS = 5
_TRACKS = {venue.code: venue.track for venue in VENUES}
_NO_SECTIONALS = {"BKHL", "CAPA", "NOR"}  # tracks that publish none


def write_form_guides(folder: Path, season: Season, count: int) -> list[Path]:
    """Write the form guides of the last `count` races of the season into `folder`, which is created.

    A file is named after its race (``Race 7 - MAND - 17 July 2025.csv``). Each dog that had run before
    has up to five lines, latest first; its name stands on the first, ``""`` on the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    starts = _starts(season)
    order = list(season.tables["race_metadata"]["race_id"])[-count:]
    dogs = starts.loc[starts["race_id"].isin(order), "dog_id"].unique()
    careers = starts[starts["dog_id"].isin(dogs)].sort_values("start_datetime", ascending=False)
    by_dog = {dog: careers[careers["dog_id"] == dog] for dog in dogs.tolist()}
    return [_write(folder, starts[starts["race_id"] == race], by_dog) for race in order]


def _starts(season: Season) -> pd.DataFrame:
    """Join starters, races and dogs, with the winner, the second and the best time of the meeting."""
    import pandas as pd

    entries, races, dogs = (
        pd.DataFrame(dict(season.tables[table])) for table in ("dog_race_data", "race_metadata", "dogs")
    )
    about = ["venue", "race_number", "race_date", "grade", "distance", "start_datetime", "winner_margin"]
    starts = entries.merge(races[["race_id", *about]], on="race_id").merge(dogs[["dog_id", "sex"]])
    starts["time"] = pd.to_numeric(starts["individual_time"])
    starts["best"] = starts.groupby(["venue", "race_date", "distance"])["time"].transform("min")
    starts["margin_lengths"] = starts["beaten_margin"].fillna(starts["winner_margin"])
    starts["early"] = starts.groupby("race_id")["sectional_1st"].rank(method="first")
    for place, column in ((1, "winner"), (2, "second")):
        named = starts[starts["finish_position"] == place].drop_duplicates("race_id")
        starts[column] = starts["race_id"].map(named.set_index("race_id")["dog_name"])
    return starts


def _write(folder: Path, race: pd.DataFrame, by_dog: Mapping[int, pd.DataFrame]) -> Path:
    first = race.iloc[0]
    day = dt.date.fromisoformat(first["race_date"])
    when = f"{day.day:02d} {MONTHS[day.month - 1]} {day.year}"
    name = f"Race {first['race_number']} - {first['venue']} - {when}.csv"
    lines = [HEADER]
    for entry in race.sort_values("box_number").to_dict("records"):
        career = by_dog[entry["dog_id"]]
        before = career["start_datetime"] < first["start_datetime"]
        past = career[before & career["finish_position"].notna()].head(_RUNS)
        for number, run in enumerate(past.to_dict("records")):
            dog = f"{entry['box_number']}. {entry['dog_name']}" if number == 0 else '""'
            lines.append(",".join((dog, *_cells(run))))
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return path


def _cells(run: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the texts of one past run. As in real files, a dead heat has no second to name."""
    place = int(run["finish_position"])
    other = run["second"] if place == 1 else run["winner"]
    sectional = "" if run["venue"] in _NO_SECTIONALS else run["sectional_1st"]
    return (
        run["sex"],
        str(place),
        str(run["box_number"]),
        f"{run['weight']:.1f}",
        run["distance"].removesuffix("m"),
        run["race_date"],
        _TRACKS[run["venue"]],
        run["grade"],
        run["individual_time"],
        run["winning_time"],
        f"{run['best']:.2f}",
        sectional or "",
        _text(run["margin_lengths"]),
        other if isinstance(other, str) else "",
        f"{int(run['early'])}{place}",
        _text(run["starting_price"]),
    )


def _text(number: float) -> str:
    return "" if number != number else str(float(number))
