"""What essays say besides their authors' names: titles and paragraphs, two halves of each."""

import random
from collections.abc import Sequence

TITLES = {
    "en": (
        "The Old Bridge", "My Summer in the Mountains", "Should School Start Later?", "Love and War in Literature",
        "A Day I Will Never Forget", "Social Media and the Young", "Of Mice and Men: A Review",
        "The Climate Is Changing", "Why I Write", "Romeo and Juliet", "Argumentative essay",
        "Growing Up Between Two Countries", "The Hunger Games", "Assignment 2: Reading log", "Jane Eyre", "Freedom",
        "Harry Potter and the Power of Friendship", "Book report", "An Interview With {other}", "Dear {other}",
        "Letter to {other}", "A Friend Called {first}", "{other}", "About {first}", "The Diary of Anne Frank",
        "What {first} Taught Me",
    ),
    "sv": (
        "Den gamla bron", "Min sommar i fjällen", "Borde skolan börja senare?", "Kärlek och krig",
        "En dag att minnas", "Sociala medier och unga", "Recension av Mio min Mio", "Klimatet förändras",
        "Varför jag skriver", "Ronja", "Argumenterande text", "Att växa upp mellan två länder", "Novellanalys",
        "Frihet", "Läslogg", "Pippi Långstrump", "Uppgift 3", "Bokrecension", "Intervju med {other}", "Till {other}",
        "Brev till {other}", "Min vän {first}", "{first}", "Resan hem", "Berättelsen om {first}", "Emil i Lönneberga",
    ),
}  # fmt: skip

PARAGRAPHS = {
    "en": (
        "When I was younger I believed that nothing would ever change in our town. The baker opened at six, the bus "
        "came at seven, and {first} from next door always waited at the corner with a book under the arm.",
        "According to {other}, reading is the only journey that needs no ticket. I do not agree with everything that "
        "{other} writes, but this sentence has stayed with me since the first time I heard it.",
        "There are three arguments for this. First, sleep matters more than most people think. Second, teachers would "
        "also be less tired. Third, the traffic in the morning would be spread over several hours.",
        "\"You never listen,\" said {first}. I looked at the floor. The clock on the wall had stopped years ago, and "
        "nobody had cared enough to wind it up again.",
        "In conclusion, I think that the author wants us to see how easily a person is forgotten. The last chapter "
        "shows this clearly, since not even the narrator remembers what the old man was called.",
        "The main character, {other}, grows up in a poor family in the north. What makes the story interesting is that "
        "we see everything through the eyes of a dog.",
        "Some people say that phones should be banned in classrooms. I understand them, but I believe that it is "
        "better to learn how to use a tool than to hide it in a drawer.",
        "My grandfather came here in 1956 with one suitcase. He worked in the mine for thirty years, and on Sundays he "
        "taught me to play chess in the kitchen.",
    ),
    "sv": (
        "När jag var liten trodde jag att ingenting skulle förändras i vår stad. Bagaren öppnade klockan sex, bussen "
        "kom klockan sju och {first} stod alltid i hörnet och väntade.",
        "Enligt {other} är läsning den enda resa som inte kräver biljett. Jag håller inte med om allt som {other} "
        "skriver, men just den meningen har jag aldrig glömt.",
        "Det finns tre argument för detta. För det första är sömn viktigare än många tror. För det andra skulle även "
        "lärarna bli piggare. För det tredje skulle trafiken spridas ut över morgonen.",
        "– Du lyssnar aldrig, sa {first}. Jag tittade ner i golvet. Klockan på väggen hade stannat för flera år sedan, "
        "och ingen hade brytt sig om att dra upp den igen.",
        "Sammanfattningsvis anser jag att författaren vill visa hur lätt en människa glöms bort. Det syns tydligast i "
        "sista kapitlet, där inte ens berättaren minns vad mannen hette.",
        "Huvudpersonen, {other}, växer upp i en fattig familj i norr. Det som gör boken intressant är att vi ser allt "
        "genom ögonen på en hund.",
        "Vissa tycker att mobiler borde förbjudas i klassrummet. Jag förstår dem, men tror att det är bättre att lära "
        "sig använda ett verktyg än att gömma det.",
        "Min farfar kom hit 1956 med en enda resväska. Han arbetade i gruvan i trettio år, och på söndagarna lärde han "
        "mig spela schack i köket.",
    ),
}  # fmt: skip


def title(rng: random.Random, language: str, odd: int, other: str) -> str:
    """A title; some have somebody else's name in them."""
    return rng.choice(TITLES[language][odd::2]).format(other=other, first=other.split(maxsplit=1)[0])


def body(rng: random.Random, language: str, odd: int, people: Sequence[str], *, wrapped: bool) -> str:
    """Some paragraphs that tell of these people; `wrapped` into short lines, as in a pdf."""
    said = []
    for _ in range(rng.randint(3, 9)):
        other = rng.choice(people)
        said.append(rng.choice(PARAGRAPHS[language][odd::2]).format(other=other, first=other.split()[0]))
    if wrapped:
        return "\n".join(line for text in said for line in _lines(text))
    return rng.choice(("\n", "\n\n")).join(said)


def _lines(text: str, width: int = 78) -> list[str]:
    lines, words = [""], text.split()
    for word in words:
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
