"""Further short and pet forms, by the language they are used in, and common given names that have none here.

Between commas one name in its forms, folded, as in `nicknames.py`. Somalis write x for h, and c where others write
nothing.
"""

ENGLISH = """
abraham bram, adelaide addie, agnes nessie, alfred alf alfie fred, angela angie, antoinette nettie toni, annette nettie,
augustus gus, august gus, barnabas barney, bernard bernie, bertram bert, blanche bianca, cassandra sandy sandra,
clarence clarrie, cornelius neil, cornelia nellie nelly, dominic nick, edmund ed ned ted eddie, edwin ed ned eddie,
eleanor nora lenore, emmanuel manny, ezekiel zeke, ferdinand nando, fernando nando, genevieve viv, georgina gina,
gilbert bert, hannah anna, herbert bert, hubert bert, isidore izzy, isadora izzy dora, israel izzy, jeanette nettie,
jeremiah jerry jem, jeremy jem jerry, jerome jerry, juanita nita, lorraine lori, madeline maddy, melissa missy lissa,
mildred millie, miranda randy mandy, naomi omi mimi, natasha tasha, olivia liv livvy ollie, oswald ozzy,
percival percy, rachel shelly rae, randolph randy dolph, adolph dolph, regina gina, reuben ben, roderick rick,
rosalind roz, seamus james, sean john, liam william, siobhan joan, tabitha tabby, tatiana tania, thaddeus tad,
vanessa nessa, wilfred fred, michelle shelly, rochelle shelly, harrison harry, jackson jack, isaiah zay, elijah eli
"""

SWEDISH = """
ann-charlotte lotta, ann-marie ami, bengt benke bengan, bertil berra, birger bigge, christer krister krille,
kristian christian krille, kristoffer christoffer krille, folke fole, ingemar ingo, ingeborg bojan, jonas jonte,
jonatan jonathan jonte, jorgen jogge, josefin josefine jossan, jessica jessan, karolina carolina carro,
leif leffe, lennart lelle, linnea nea, magdalena malena lena magda, madeleine maddie mala, maria mia maja, marie mia,
martin matte, mattias mathias matte, markus marcus mackan, mikael mackan, oskar oscar ocke, peter petter peppe,
patrik putte patte, pontus ponta, rasmus rasse, robert robban, roger rogge, rolf roffe, sebastian sebbe,
sigfrid sigge, sigvard sigge, sigurd sigge, simon simpan, sofia sophia fia soffan, staffan steffe, stefan steffo steffe,
stig stickan, sven svenne, susanne sussi sussie, tomas thomas tompa, torbjorn tobbe, torsten totte, ulrika ullis,
urban ubbe, viktoria victoria vickan, yvonne vonne, alexander alle, albin abbe, emelie emilie emsan, emma emsan,
ellinor elinor nellie, petronella nella, pernilla nilla, angelica angelika ankan, annika ankan, erika erica rickan,
gabriella bella, joakim joachim jocke kim, jakob jacke, kerstin kicki kia, kristina kia, ludvig ludde, lukas lucke,
margareta maggan meta, monika monica mona, natalie nathalie nattis, therese tessan, veronika nicka, vilhelm ville,
william wille ville, vilgot ville, johan jocke, johanna hanna, elisabet elsa lisbet bettan, valdemar valle
"""

FURTHER = """
mohammed maxamed medo hamada, mahmoud mahmud hamoudi hammoudi, ahmed ahmad axmed hamada, hassan hasan xasan,
hussein xuseen, ali cali, omar umar cumar, abdi cabdi, abdirahman abdi cabdi, abdullahi abdi cabdi, abdirizak abdi,
abdullah aboud abood aboudi, abdulrahman abdelrahman aboud abood rahman, abdelkader kader, fatima faadumo fadumo fatou,
khadija khadiijo dija, mariam maryan, ibrahim ibo ibra, mustafa musti, mehmet memo, suleyman sulo, aicha aisha ayse,
aleksandra ola, katarzyna kasia, malgorzata gosia malgosia, joanna asia, anna ania anya, barbara basia, maria marysia,
stanislaw staszek stach, wojciech wojtek, grzegorz grzesiek, krzysztof krzysiek, tomasz tomek, jozef jozek,
elzbieta ela, zofia zosia, jan janek jas, anastasia anastasiia nastya, maria masha, tatiana tatyana tanya,
evgeny yevgeny zhenya, evgenia yevgenia zhenya, ivan vanya, irina ira, ksenia ksyusha, ludmila lyudmila lyuda mila,
galina galya, konstantin kostya, aleksei alexei alyosha lyosha, yuri yura, daria dasha, sofia sonya, pavel pasha,
aleksandar aca sasa, marija maja, slobodan boba, francisco curro chico, enrique quique, manuel manolo, rafael rafa,
concepcion concha, eduardo lalo, luis lucho, josefa pepa, consuelo chelo, jose ze, joaquim quim,
johannes juhani jussi hannu, katariina kati kaisa, elisabet liisa, henrik heikki, mattias matti, andreas antti,
peter pekka, georg yrjo, olavi olli, konstantinos kostas, georgios yorgos, ioannis yannis, dimitrios mitsos,
panagiotis panos, evangelia litsa, giuseppe beppe peppe, giovanni gianni nino, luigi gigi, johann hans hannes,
friedrich fritz, heinrich heinz, sebastian basti, cornelis kees, hendrik henk, johannes joop, wilhelm wim, pieter piet
"""

OF_THEIR_OWN = """
ada agda agnes aino aisha albin alice alma alva alvin amanda amina amir andrea ania ann anna anne anton arvid astrid
axel bella berta bilal boris britta carmen carsten cleo cora dalia dana daria denis diego dina ebba eddie edith edvin
elia elias elif elin elina elise ella ellen ellie elliot elsa elton elvira emir emma enya eric erik erika esra ester
fanny felix fiona frida greta gustaf hadi hamza hanna hannah hassan hedda hilda hilma hugo ida iman ines ingrid irma
isra jasmin jasmine jasper jesper joel johan john jonas jonna josef julia juni kaja karin karl kasper kevin kim klara
lars lea leah leia lena leon levi liam lilja lily lina linda linn linnea lisa liv liva livia lotta lova love lovis
luna lycka maja majken malik malin malva maria marian marie mario mark marta mary matilda meja melker melvin mika mila
milan milla milo mina mira moa mohamed molly mona nadia naima nellie nelly nicole nils nina noah noel nora nova olivia
olof omar ornella per petra pia ralf rana rania rasmus rebecka rene rita roman ronja ruben rut sabina saga said salim
sam sama sami samir samira sana sara selma sigrid silas simon simone siri sixten sofie sol stella svea sven tage tanja
tara tariq teo thea theo tilda tilde tilia tina tindra tor tora tova tove ture tyra ulla ulrik uma vera viggo vilda
vilma vilmer vincent walid wilma yara yasin yasmin yusra zara zelda
"""
"""So that one of these, when it is also a slip or the end of another, is rather itself: Erik is no short Fredrik."""
