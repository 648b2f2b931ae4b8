"""Given names that stand for one another: short and pet forms, and the forms of one name in several languages.

A line is, folded, one name in its forms, of which each may stand for each. What is only the beginning of a name
(Alex, Sam) needs no entry.
"""

from collections import defaultdict

from services.student_matching_service.nicknames_by_language import ENGLISH, FURTHER, OF_THEIR_OWN, SWEDISH

_FORMS = """
abdullah abdallah abdul
augusta gussie
bradley brad
cecilia celia cissi cissy cilla
clifford cliff
constance connie
cynthia cindy
diana di
donald don donnie
douglas doug
ernest ernst ernie
esther ester essie hettie
eugene gene
florence flo florrie flossie
geoffrey jeffrey geoff jeff
gertrude gertie trudy
gwendolyn gwen
harriet henrietta hattie hetty etta
hugo hugh huey
jacqueline jackie
kenneth ken kenny kenta
laura laurie
letitia lettie
lillian lilian lily lillie
lucas lukas luke luka
montgomery monty
nathaniel nathan nate nat
nicole nikki nicky
oliver ollie olly
pamela pam
penelope penny
philippa pippa
prudence prue
raymond ray
reginald reggie reg
rudolf rudolph rudy
russell russ
sidney sid
stanley stan
terence terry
veronica vera ronnie
vivian viv
wesley wes
winifred winnie freddie
abigail abby gail
agneta neta
ahmed ahmad achmed ahmet
albert bert bertie al
aleksandr alexander aleksander alejandro alessandro sasha sascha alec xander sander alex
alexandra aleksandra alejandra sasha sandra sascha alex
alice alicia ally
amanda mandy manda
anders andreas andrew andy drew andrzej
andrea andie
anna anne ann annie anya nan nancy
anthony antonio antoni tony anton toni tono
antonia toni tonia
archibald archie
arthur art artie
barbara barb babs barbro
bartholomew bart
beatrice beatriz bea trixie
benjamin ben benny benji
birgitta brigitta gittan britta bitte
bo bosse
bridget biddy bridie
carl karl kalle charles carlos charlie chuck karol karel
carolina caroline karolina carrie lina line
catherine katherine katarina catarina katharina kathryn ekaterina yekaterina kate katie kathy kat kitty cathy kajsa
catherine katherine katarina katja katya cat kata trine
charlotte charlotta lotta lottie lotte charlie
christian kristian chris krister
christina kristina christine kristin christin stina kicki tina chris kerstin
christopher kristoffer christoffer chris kit topher stoffe krzysztof
clara klara
daniel danny dan
david dave davy dawid
deborah debbie deb
dmitri dmitry dmitriy dima mitya
dolores lola
dorothy dorotea dora dot dottie dolly
edward edvard eduardo ed eddie ted teddy ned
eleanor eleonora ellie nell
elizabeth elisabeth elisabet elsa elsie lisa liza liz lizzie beth betty bess bettina elise eliza libby lisbeth bettan
elisa lisa
emil emile
emily emilia emilie em millie emmy
eric erik erick jerker
eva eve evie
evelyn evie
evelina lina
fatima fatma fatemeh
francis frank francisco frans franz paco pancho frankie kiko
frances francisca franciska fran frankie fanny paca
fredrik frederick frederik fred freddy freddie frederic fredde
frederika fredrika rikke
gabriel gabe
george georg jorge goran jorgen jurgen yuri jerzy georgios giorgos
gerald gerard gerry jerry
gregory gregor grigori greg
guadalupe lupe
gunilla nilla
gustav gustaf gosta gurra
gunnar gurra
harold harald harry hal
hans hasse
johannes hannes
helen helena elena lena nell
henry henrik enrique hank harry henke hal heinrich
hussein hussain husain hossein hosein
ibrahim abraham abe ebrahim ibbe
ignacio nacho
ingrid inga
isabella isabelle isabel bella izzy belle isa
isak isaac izaak
jacob jakob james jacobo jake jack jim jimmy jamie jakub kuba
jan janne
john johan johannes juan joao ivan jack johnny
john jon
johanna joanna giovanna
jennifer jenny jen jennie
jessica jess jessie
jesus chuy
jonathan jon jonny
joseph josef yousef yusuf youssef yosef jose joe joey pepe jussi
josefin josephine josefina jo josie fina
judith judy jude
julia yulia yulya julie
julian jules
karin karen carin kaja
khaled khalid chaled
lars lasse lorenz lawrence larry
lawrence laurence larry lars
layla leila laila leyla
leonard lennart leo len lenny
louis ludvig ludwig luis lewis lou louie
louise lovisa lou luisa
lucia lucy luz
magnus manne
margaret margareta margarita marguerite greta maggie meg peggy daisy madge rita marge mags
maria marie mary mia marija masha mimmi
mary molly polly
mariam maryam miriam meryem
marcus markus marc mark marko
martha marta mattie patty
martin marty marten
mathilda matilda tilda tilly
matthew mattias matthias mats matt matty mateusz
michael mikael mikhail michal miguel mike micke mick mickey misha micael michel
mohammed muhammad mohamed mohammad muhammed mohamad mehmet mo
mustafa mustapha
natalia natalie nathalie natasha nat
nicholas nicolas niklas nikolaj nikolai nikos klas nick nicky nicke kolya
nils nisse
noor nour nur
olga olya
olof olov ola olle
oscar oskar ozzy
osama usama
otto otis
oxana oksana
patrick patrik pat paddy patricio
patricia pat patty patsy trish tricia
paul pal pavel pablo pawel
peter petter pete pedro pyotr piotr
per par peder pelle
philip filip phil felipe pip
priscilla cilla
rebecca rebecka becky becca reba
richard rikard rick rich ricky dick ricardo richie
robert robin rob bob bobby robbie roberto bert robban
roger roggan
roland rolle
ronald ron ronnie
rosa rose rosie rosalie
rosario charo
samuel sam sammy
samantha sam
sara sarah sadie
sebastian seb basse bastian
sergey sergei serge sergio sergej seryozha
sofia sophia sophie sofie zofia
stefan steven stephen stephan stefano steve stephanos stefanos esteban szczepan
stella estella
stephanie stefanie steph
susanna susanne susan susannah suzanne sue susie sanna zuzanna
svetlana lana sveta
tariq tarek tareq
theodor theodore teodor ted teddy theo fedor
therese theresa teresa terese tess tessa terry
thomas tomas tom tommy tomasz
timothy tim timmy
tobias tobbe toby
ulrika ulla rika
ulf uffe
valentina valya tina
victor viktor vic vicke
victoria viktoria vicky vickie tori
vincent vincenzo vinnie
virginia ginny
vladimir volodya vova vlad
walter walt wally valter
wilhelm william vilhelm willem guillermo bill billy will willy liam wille memo
wilhelmina vilhelmina mina minna billie
xavier javier
zachary zack zacharias zak
zaynab zeinab zainab zeynep
"""

_OTHERS = defaultdict[str, set[str]](set)
for _line in [*_FORMS.splitlines(), *",".join((ENGLISH, SWEDISH, FURTHER)).split(",")]:
    for _form in _line.split():
        _OTHERS[_form].update(_line.split())
_IN_FULL = frozenset(OF_THEIR_OWN.split()) | {line.split()[0] for line in _FORMS.splitlines() if line}


def same_name(one: str, other: str) -> bool:
    """Whether two folded given names are forms of one name."""
    return other in _OTHERS.get(one, ())


def is_given_name(word: str) -> bool:
    """Whether a folded word is known as a given name of its own."""
    return word in _OTHERS or word in _IN_FULL


def is_never_short(word: str) -> bool:
    """Whether a folded word is known as a given name in full rather than as a form of others."""
    return word in _IN_FULL
