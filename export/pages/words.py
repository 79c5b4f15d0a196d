"""Words that stand beside numbers on paper: headings, names, units, things counted, sentences."""

from __future__ import annotations

from typing import Final

import numpy as np

_HEADINGS: Final = """
Name Date Total Marks Course Theory Lab Number Price Qty Item Sum Amount No. Nr. Datum Summe Menge Preis Ort Fecha Nombre Precio
Cantidad Total Prix Nombre Quantité Data Nome Prezzo Subject Score Grade Class Room Hour Time Day Mon Tue Wed Thu Fri Sat Sun Week
Month Year Points Team Player Age Height Weight Speed Temp Min Max Avg Mean Page Code Tel Phone Fax Zip City Address Account Balance
Paid Due Tax Net Gross Rate Order Invoice Customer Seite Zahl Anzahl Tag Jahr Stunde Nota Alumno Curso Matière Note Classe Art Menge
Betrag Konto In Out Left Right Start End Test Try Run Group Sample Reading Result
"""
HEADINGS: Final = tuple(_HEADINGS.split())
_NAMES: Final = """
Anna Ben Clara David Emma Felix Greta Hans Ida Jonas Karl Lena Max Nina Otto Paul Rosa Sara Tom Uwe Vera Willi Ali Fatima Omar Chen
Wei Li Yuki Ken Maria Jose Juan Carmen Luis Pedro Ivan Olga Boris Nadia Peter Susan Mary John James Robert Kate Lucy Alice Bob Smith
Jones Brown Miller Garcia Lopez Martin Bernard Dubois Rossi Ferrari Novak Kowalski Nguyen Tran Kumar Singh Patel
"""
NAMES: Final = tuple(_NAMES.split())
_THINGS: Final = """
milk eggs bread butter sugar flour apples pears rice beans oil salt tea coffee soap paper nails screws paint wood glue tape wire Eng
Math Urdu Science Physics Bio Chem History Art Music Sport Milch Brot Eier Wurst Obst Wasser leche pan huevos manzanas gatos casa
perro lait pain oeufs eau vin bath table chair lamp book pen rent gas power bus taxi hotel lunch dinner beer wine fish meat
"""
THINGS: Final = tuple(_THINGS.split())
_UNITS: Final = """
kg g mg l ml m cm mm km h min s EUR USD € $ % m/s kWh V A W Pa N J K °C pcs St. x mal km/h cl ft in lb oz h. Uhr a.m. pm
"""
UNITS: Final = tuple(_UNITS.split())
_GREETINGS: Final = """
Hello world|Dear Anna|Thank you|See you soon|Please call back|Hola mundo|Me llamo Alex|Buenas|Tengo gatos
Text written by hand|This is the final page|Happy birthday|Meeting notes|To do|Shopping list|Homework|Solve|Find x
Answer|Question|Remember the milk
the quick brown fox|jumps over the lazy dog|lorem ipsum dolor sit amet|consectetur adipiscing elit|we went to the lake
it was raining all day|in the beginning|as soon as possible|with best regards|do not forget|turn the page|ask Peter about it
the results are in|check again|carry over|same as above|see over|left to pay|paid in cash|received with thanks
"""
GREETINGS: Final = tuple(phrase for line in _GREETINGS.strip().splitlines() for phrase in line.split("|"))
WORD_LETTERS: Final = "aaabcdeeeefghhiijkklmnnoooprrssttuuvwyz"


def heading(rng: np.random.Generator) -> str:
    """A word that heads a column or labels a field, in one of three cases."""
    word = str(rng.choice(HEADINGS))
    draw = rng.random()
    return word.upper() if draw < 0.2 else word.lower() if draw < 0.35 else word


def row_name(rng: np.random.Generator) -> str:
    """A name or thing that a number belongs to."""
    word = str(rng.choice(NAMES if rng.random() < 0.5 else THINGS))
    return word.upper() if rng.random() < 0.12 else word


def any_word(rng: np.random.Generator) -> str:
    """Any word, also made up."""
    draw = rng.random()
    if draw < 0.25:
        return heading(rng)
    if draw < 0.6:
        return row_name(rng)
    if draw < 0.75:
        return str(rng.choice(GREETINGS)).split(" ")[0]
    return "".join(rng.choice(list(WORD_LETTERS), int(rng.integers(2, 9))))


def sentence(rng: np.random.Generator, least: int = 2, most: int = 8) -> str:
    """A few words in a row."""
    if rng.random() < 0.35:
        return str(rng.choice(GREETINGS))
    return " ".join(any_word(rng) for _ in range(int(rng.integers(least, most + 1))))


def unit(rng: np.random.Generator) -> str:
    """What is counted or measured."""
    return str(rng.choice(UNITS))


def single_letter(rng: np.random.Generator) -> str:
    """A letter alone that no reader takes for a digit."""
    return str(rng.choice(list("ABCDEFGHKMNPRTUVWXYacdefhkmnprtuvwxyz")))
