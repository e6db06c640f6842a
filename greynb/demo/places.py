"""Where the races are run: venues with the codes of the collector's files, and their distances."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Venue:
    """One track.

    Attributes
    ----------
    code
        As in ``race_metadata.venue`` and in form-guide file names (``AP_K``).
    track
        As in the TRACK column of form guides (``AP/K``).
    name
        Its official name.
    region
        The state or territory, which is also the pool its dogs come from.
    distances
        In metres, the usual one first.
    meetings
        How often it races, relative to the others.
    """

    code: str
    track: str
    name: str
    region: str
    distances: tuple[int, ...]
    meetings: float


VENUES: tuple[Venue, ...] = (
    Venue("AP_K", "AP/K", "Angle Park", "SA", (342, 530, 595, 730), 2.0),
    Venue("BAL", "BAL", "Ballarat", "VIC", (390, 450, 545), 1.6),
    Venue("BEN", "BEN", "Bendigo", "VIC", (425, 500, 660), 1.3),
    Venue("CANN", "CANN", "Cannington", "WA", (520, 275, 601, 381, 715), 1.6),
    Venue("CAPA", "CAPA", "Capalaba", "QLD", (366,), 0.8),
    Venue("CASO", "CASO", "Casino", "NSW", (300, 484, 411), 0.8),
    Venue("DAPT", "DAPT", "Dapto", "NSW", (297, 520, 600), 0.9),
    Venue("DARW", "DARW", "Darwin", "NT", (312, 383, 537), 0.6),
    Venue("GAWL", "GAWL", "Gawler", "SA", (400, 531, 643), 0.9),
    Venue("GEE", "GEE", "Geelong", "VIC", (400, 460, 680), 1.3),
    Venue("GOUL", "GOUL", "Goulburn", "NSW", (350, 440), 0.9),
    Venue("GRAF", "GRAF", "Grafton", "NSW", (350, 450), 0.8),
    Venue("HEA", "HEA", "Healesville", "VIC", (300, 350), 1.6),
    Venue("HOBT", "HOBT", "Hobart", "TAS", (461, 340), 0.8),
    Venue("HOR", "HOR", "Horsham", "VIC", (410, 485), 1.0),
    Venue("MAND", "MAND", "Mandurah", "WA", (400, 300, 488, 652), 1.8),
    Venue("MEA", "MEA", "The Meadows", "VIC", (525, 600), 1.5),
    Venue("MOUNT", "MT/G", "Mount Gambier", "SA", (400, 305, 512), 0.9),
    Venue("MURR", "MBR", "Murray Bridge", "SA", (395, 455, 530), 1.0),
    Venue("NOR", "NOR", "Northam", "WA", (297, 509), 0.9),
    Venue("NOW", "NOWR", "Nowra", "NSW", (365, 520), 0.8),
    Venue("RICH", "RICH", "Richmond", "NSW", (320, 401, 520, 622), 1.8),
    Venue("ROCK", "ROCK", "Rockhampton", "QLD", (407, 510), 0.9),
    Venue("SAL", "SAL", "Sale", "VIC", (435, 510), 1.1),
    Venue("SAN", "SAN", "Sandown Park", "VIC", (515, 595, 715), 1.6),
    Venue("SHEP", "SHE", "Shepparton", "VIC", (390, 450), 1.3),
    Venue("TAR", "TARE", "Taree", "NSW", (300, 440), 0.7),
    Venue("TWN", "TVLE", "Townsville", "QLD", (380, 498), 0.9),
    Venue("WAR", "WAR", "Warrnambool", "VIC", (390, 450), 1.5),
    Venue("WRGL", "WAR", "Warragul", "VIC", (400, 460), 1.3),
)

REGIONS: tuple[str, ...] = tuple(sorted({venue.region for venue in VENUES}))

# From the weakest class of race to the strongest.
GRADES: tuple[str, ...] = (
    "Maiden",
    "Grade 7",
    "Mixed 6/7",
    "Grade 6",
    "Grade 5",
    "Mixed 4/5",
    "Restricted Win",
    "Grade 4",
    "Mixed 3/4",
    "Free For All",
)
