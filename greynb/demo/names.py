"""Names of dogs and trainers, and how the collector cleans them."""

from __future__ import annotations

import numpy as np


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words("""
Amber Aston Banjo Basalt Billabong Blazing Blue Bold Brave Breezy Bronze Busy Canny Cedar Cheeky
Chilli Cinder Classy Clever Cobalt Copper Coral Cosmic Crafty Crimson Crystal Dapper Daring Dashing Desert
Dusty Eager Early Ebony Electric Emerald Fabled Fancy Fearless Fernando Feral Fiery Flash Fleet Flying Foxy
Frosty Gentle Ghost Ginger Golden Grand Granite Gypsy Happy Harbour Hasty Hickory Honest Humble Hunter Icy
Indigo Iron Ivory Jade Jazzy Jolly Jumping Keen Kelpie Kinetic Laser Lemon Lively Lonely Lucky Lunar Magic
Mallee Maple Marble Merry Midnight Mighty Misty Modest Mulga Mystic Nimble Noble Nullarbor Ocean Onyx Opal
Orbit Outback Paper Pepper Phantom Pinto Polar Prairie Proud Quick Quiet Rapid Raven Ready Rebel Regal River
Rocket Roving Royal Ruby Rusty Saffron Salty Sandy Scarlet Secret Shadow Sharp Silver Simple Sky Sly Smoky
Snappy Solar Spicy Spirit Starry Steel Stormy Sunny Super Swift Tango Tawny Thunder Tidy Timber Topaz Trusty
Turbo Twilight Urban Velvet Violet Vivid Wandering Wattle Western Whisky Wild Windy Wise Zesty""")

_LAST = _words("""
Ace Alibi Anthem Arrow Artist Avenue Bale Ballad Bandit Banner Beauty Belle Bishop Blaze Bolt
Boomer Boss Bullet Cadet Captain Caper Charm Chaser Chief Cloud Comet Cowboy Crusade Dancer Dasher Dawn
Denali Dream Drifter Duchess Duke Echo Empire Envoy Express Fable Falcon Fantasy Fever Flame Flyer Fortune
Fury Gem Glory Guest Halo Harmony Hawk Hero Hope Horizon Idol Image Jack Jet Jewel Journey Joy Judge Keeper
King Knight Lady Lass Legend Lightning Lion Lyric Maiden Marvel Mate Melody Mercury Meteor Miss Monarch Moon
Mover Nugget Oracle Outlaw Patrol Phoenix Pilot Pirate Power Pride Prince Promise Prophet Queen Quest Racer
Raider Ranger Rascal Rebel Rhythm Rider Rogue Rumour Runner Sailor Scout Sentinel Shuffle Signal Siren Sky
Song Sparrow Spirit Sprint Star Storm Story Streak Sunset Surprise Tempest Theory Thief Tiger Torpedo Trick
Valley Victory Vision Voyage Warrior Whisper Willow Wish Wizard Wonder Zephyr""")

_GIVEN = _words("""
Adam Alan Amanda Andrew Angela Anthony Ashlee Brett Carol Christine Corey Craig Dale Daniel David
Debbie Donna Emma Frank Gary Glenn Graeme Heather Jack Jason Jodie John Karen Kate Kim Kylie Lisa Mark
Matthew Michael Nathan Paul Peter Rachel Raymond Robert Samantha Sharon Stephen Steven Tania Tony Troy
Wayne""")

_FAMILY = _words("""
Abbott Anderton Bailey Barber Bentley Britten Camilleri Clark Collins Cooper Crawford Dailly
Douglas Ellis Fenwick Ferrara Galea Gibbons Greenough Halse Harding Hobby Irwin Jenkins Kavanagh Langton
Lord Mackay Magri McInerney Murray Norris Osborne Pearce Presutto Quinn Rasmussen Robertson Sawyer Smith
Stapleton Thompson Tyler Urquhart Vella Walsh Webster Withers Young Zammit""")


def dog_names(count: int, rng: np.random.Generator) -> list[str]:
    """Draw names no two of which clean to the same text; some in capitals, some with an apostrophe."""
    pairs = [(a, b) for a in _FIRST for b in _LAST if a != b]
    names = []
    for serial, index in enumerate(rng.permutation(max(len(pairs), count))[:count]):
        first, last = pairs[index % len(pairs)]
        suffix = f" {_FIRST[index // len(pairs) % len(_FIRST)]}" if index >= len(pairs) else ""
        possessive = "'s" if serial % 23 == 7 else ""
        name = f"{first}{possessive} {last}{suffix}"
        names.append(name.upper() if serial % 6 == 2 else name)
    return names


def clean_name(name: str) -> str:
    """Give the collector's key of a dog: upper case, without apostrophes, full stops and double spaces."""
    return " ".join(name.upper().replace("'", "").replace(".", "").split())


def trainer_names(count: int, rng: np.random.Generator) -> list[str]:
    """Draw ``count`` different names of people; beyond all combinations, with a middle initial."""
    pairs = [(given, family) for given in _GIVEN for family in _FAMILY]
    order = rng.permutation(max(len(pairs), count))[:count]
    return [
        " ".join((pairs[i % len(pairs)][0], *_initial(int(i) // len(pairs)), pairs[i % len(pairs)][1]))
        for i in order
    ]


def _initial(round_: int) -> tuple[str, ...]:
    return (chr(ord("A") + (round_ - 1) % 26),) if round_ else ()
