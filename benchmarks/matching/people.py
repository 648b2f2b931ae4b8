"""Names to invent people from, of many origins, in two halves: what is developed on is not judged on."""

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Origin:
    """Names that go together, given and family; how a person of this origin may be called further."""

    given: list[str]
    family: list[str]
    family_first: bool = False
    two_surnames: bool = False

    def half(self, odd: int) -> "Origin":
        """Every second name, so that nobody stands in both halves."""
        return Origin(self.given[odd::2], self.family[odd::2], self.family_first, self.two_surnames)


def _origin(given: str, family: str, *, family_first: bool = False, two_surnames: bool = False) -> Origin:
    return Origin(given.split(), [f.strip() for f in family.split(",")], family_first, two_surnames)


ORIGINS = {
    "Swedish": _origin(
        "Åsa Björn Märta Göran Linnéa Elsa Alva Vilgot Sixten Ebba Love My Ture Signe Tindra Malte Saga Loke Ingrid "
        "Karl-Johan Anna-Lena Per-Olof Ann-Sofie Sten-Åke Till Rut Bo Ulf Siv Gun",
        "Öberg, Lindqvist, Åkerström, Hägg, Söderholm, Bergvall, Nyström, Sjöö, Wahlgren, von Essen, af Klint, Ek, "
        "Al, Ås, Kling, Östlund-Berg, Dahl-Nygren, Ståhl, Björk, Häggkvist, Norén, Ljung, Rehn, de la Gardie",
    ),
    "English": _origin(
        "Grace Will Mark Oliver Imogen Harvey Rose May Summer Beatrice Jasper Florence Callum Niamh Rhys Siobhan "
        "Archibald Winifred Mary-Jane Jean-Luc Faith Hope Dean Art",
        "Whitfield, Page, Story, Reid, Ashcroft, O'Leary, MacDonald, Okell, Winter, Love, Harrington, St. John, "
        "Fitzwilliam, D'Arcy, Pemberton, Lee, Smith-Jones, Blackwood, Young, English, Chapman, Bishop",
    ),
    "Arabic": _origin(
        "Mohammed Fatima Yusuf Layla Abdulrahman Noor Omar Zaynab Khalid Mariam Hussein Amina Tariq Rania Ali Salma "
        "Ibrahim Huda Mustafa Samira",
        "Al-Masri, El Amrani, Haddad, al-Hashimi, Khoury, Bensalem, Abu Zaid, El-Sayed, Hamdan, Nasser, Al Jaziri, "
        "Ben Youssef, Darwish, Qasim, Said, Saleh",
    ),
    "Chinese": _origin(
        "Xiaoming Wei Jing Haoran Meiling Zixuan Yi-Fei Li Jun Yuchen Xinyi Bo Ruolan Tian",
        "Wang, Zhang, Ouyang, Chen, Liu, Xu, Zhao, Huang, Sun, Ma, Lin, Guo",
        family_first=True,
    ),
    "Han script": _origin(
        "小明 美玲 浩然 静怡 子轩 若兰 宇辰 欣怡", "王, 张, 欧阳, 陈, 刘, 黄, 李, 赵", family_first=True
    ),
    "Vietnamese": _origin(
        "Minh Hương Đức Thảo Tuấn Ngọc Phượng Quân Linh Huệ Bảo Trâm",
        "Nguyễn, Trần, Lê, Phạm, Đặng, Võ, Bùi, Đỗ, Hoàng, Phan",
        family_first=True,
    ),
    "Spanish": _origin(
        "José Lucía Álvaro Inés Joaquín Núria Íñigo Begoña Sebastián Ximena Andrés Rocío",
        "García, Muñoz, Ibáñez, de la Cruz, Peña, Núñez, Ortega, del Río, Serrano, Vázquez, Castaño, Prieto",
        two_surnames=True,
    ),
    "Portuguese": _origin(
        "João Conceição Thiago Letícia Gonçalo Inês Luís Beatriz", "dos Santos, Gonçalves, da Silva, Magalhães, "
        "Araújo, Simões, Leitão, Brandão", two_surnames=True,
    ),
    "Polish": _origin(
        "Łukasz Małgorzata Wojciech Żaneta Stanisław Agnieszka Grzegorz Kinga",
        "Wójcik, Kowalczyk, Żuraw, Dąbrowska, Łęcki, Śliwa, Gołąb, Pająk",
    ),
    "Balkan": _origin("Đorđe Željka Miloš Šejla Nikša Jelena Čedomir Ana", "Đurić, Šarić, Kovačević, Žižek, Hodžić, "
                      "Petrović, Čolić, Babić"),
    "Turkish": _origin("Gökçe Ömer Şebnem Çağrı Işıl İbrahim Ayşe Emre", "Yılmaz, Öztürk, Şahin, Çelik, Güneş, Koç, "
                       "Doğan, Aydın"),
    "Somali": _origin("Abdirahman Hodan Ayaan Liban Fardowsa Guled Ifrah Bile", "Warsame Farah, Nur Hirsi, Abdi Ali, "
                      "Jama Yusuf, Osman Elmi, Guled Aden, Dirie Samatar, Hassan Roble"),
    "Indian": _origin("Aarav Priyanka Raghunath Lakshmi Harpreet Sanjay Anjali Vikram", "Chatterjee, Iyer, "
                      "Venkataraman, Singh, Kaur, Mukhopadhyay, Patel, Rao"),
    "Finnish": _origin("Päivi Jyrki Aino Väinö Tuuli Onni Eija Sisu", "Hämäläinen, Mäki, Korpela, Yli-Ojanperä, "
                       "Virtanen, Lehtonen, Järvi, Niinistö"),
    "Dutch": _origin("Femke Joost Sanne Thijs Maartje Ruben Lotte Bram", "van der Meer, de Vries, van Dijk, ten Brink, "
                     "Jansen, Hoekstra, van 't Hof, Kuipers"),
    "Icelandic": _origin("Þórunn Guðrún Ægir Sigríður Björk Halldór Ásta Jökull", "Þorsteinsdóttir, Sigurðsson, "
                         "Ægisdóttir, Jónsson, Guðmundsdóttir, Einarsson, Hallsdóttir, Árnason"),
    "Cyrillic script": _origin("Иван Ольга Дмитрий Юлия Сергей Анна", "Петров, Соколова, Шевченко, Козлов, Ткач, Жук"),
    "Greek": _origin("Γιώργος Ελένη Nikos Despina Stavros Ioanna", "Παπαδόπουλος, Νικολάου, Papadakis, Christou, "
                     "Makris, Vlahos"),
    "One name": _origin("Sukarno Nadia Suharto Budi", ", "),
}  # fmt: skip

NICKNAMES = {
    "William": "Bill", "Robert": "Bob", "Margaret": "Peggy", "Elizabeth": "Liz", "Katherine": "Kate", "Edward": "Ted",
    "Richard": "Dick", "Charlotte": "Lottie", "Alexander": "Sasha", "Michael": "Mike", "Jennifer": "Jenny",
    "Samantha": "Sam", "Christopher": "Kit", "James": "Jim", "Rebecca": "Becky", "Andrew": "Drew", "John": "Jack",
    "Lars": "Lasse", "Karl": "Kalle", "Per": "Pelle", "Nils": "Nisse", "Bo": "Bosse", "Olof": "Olle", "Jan": "Janne",
    "Kristina": "Stina", "Katarina": "Kajsa", "Elisabeth": "Lisa", "Margareta": "Greta", "Charlotta": "Lotta",
    "Birgitta": "Gittan", "Fredrik": "Fred", "Mohammed": "Mo", "Francisco": "Paco", "José": "Pepe", "Ignacio": "Nacho",
    "Maria": "Mia", "Alexandra": "Alex", "Mikael": "Micke", "Gunnar": "Gurra", "Susanna": "Sanna",
}  # fmt: skip

SPELLINGS = {
    "Mohammed": "Muhammad", "Yusuf": "Youssef", "Hussein": "Husain", "Aleksandr": "Alexander", "Sergey": "Sergei",
    "Dmitri": "Dmitry", "Yulia": "Julia", "Fatima": "Fatma", "Zaynab": "Zeinab", "Layla": "Leila", "Sofia": "Sophia",
    "Filip": "Philip", "Viktor": "Victor", "Kristian": "Christian", "Isak": "Isaac", "Ekaterina": "Yekaterina",
    "Oksana": "Oxana", "Khaled": "Khalid", "Abdullah": "Abdallah", "Nour": "Noor", "Tarek": "Tariq",
    "Marcus": "Markus", "Erik": "Eric", "Tomas": "Thomas", "Katarina": "Catharina", "Elisabet": "Elizabeth",
    "Shakira": "Chakira", "Ahmed": "Achmed", "Osama": "Usama", "Mikhail": "Michail",
}  # fmt: skip
FAMILY_SPELLINGS = {
    "Carlsson": "Karlsson", "Ericsson": "Eriksson", "Lindkvist": "Lindqvist", "Wallgren": "Vallgren", "Sjöö": "Sjö",
    "Gustafsson": "Gustavsson", "Al-Hussaini": "Al Husseini", "Qasim": "Kassem", "Nilson": "Nilsson", "Zhukov": "Jukov",
    "Shevchenko": "Sjevtjenko", "Tchaikovsky": "Chaikovsky", "Ahmadi": "Ahmady", "Youssef": "Yusuf",
}  # fmt: skip


@dataclass
class Names:
    """All one half of the names: what to invent people from."""

    origins: dict[str, Origin]
    nicknames: list[tuple[str, str]]
    spellings: list[tuple[str, str]]
    family_spellings: list[tuple[str, str]]
    seen: list[str] = field(default_factory=list)
    """Which further lists were there."""


def names(odd: int, data: Path) -> Names:
    """One half of our names and, where there is the folder, of the lists in it."""
    halved = {name: origin.half(odd) for name, origin in ORIGINS.items()}
    known = (list(pairs.items())[odd::2] for pairs in (NICKNAMES, SPELLINGS, FAMILY_SPELLINGS))
    nicknames, spellings, family_spellings = known
    mine = Names(halved, nicknames, spellings, family_spellings)
    folder = data / "names"
    if (folder / "given_names.csv").exists():
        given, family = ([row["name"] for row in _rows(folder / f"{kind}.csv")] for kind in ("given_names", "surnames"))
        mine.origins["Swedish statistics"] = Origin(given, family).half(odd)
        mine.seen.append(f"{len(given)} given names and {len(family)} surnames")
    if (folder / "international.csv").exists():
        mine.origins.update(_international(_rows(folder / "international.csv"), odd))
        mine.seen.append("international names")
    if (folder / "nicknames.csv").exists():
        called = [(row["name"].title(), nick.title()) for row in _rows(folder / "nicknames.csv")
                  for nick in row["nicknames"].split(";")[:1]]  # fmt: skip
        mine.nicknames += called[odd::2]
        mine.seen.append(f"{len(called)} nicknames")
    return mine


def _international(rows: list[dict[str, str]], odd: int) -> dict[str, Origin]:
    kinds = defaultdict[str, Origin](lambda: Origin([], []))
    for row in rows:
        origin = kinds[f"{row['country']} statistics"]
        (origin.family if row["kind"] == "surname" else origin.given).append(row["name"])
    return {name: origin.half(odd) for name, origin in kinds.items() if len(origin.given) > 3 < len(origin.family)}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))
