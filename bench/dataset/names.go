package dataset

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// language is what the names of one language's organisations and people are made of. Names of
// people in another script are spelt in both: Latin, then native.
type language struct {
	countries []string
	latin     string // the organisation's name, of SUBJECT, CITY and PERSON
	native    string // the same in the language itself
	subjects  [][2]string
	cities    [][2]string // as the latin and the native name spell them
	given     [][2]string
	family    [][2]string
}

// same is for words that are spelt alike in both.
func same(words string) [][2]string {
	var pairs [][2]string
	for word := range strings.SplitSeq(words, ", ") {
		pairs = append(pairs, [2]string{word, word})
	}
	return pairs
}

// both pairs the words of two lists.
func both(latin, native string) [][2]string {
	pairs := same(latin)
	for i, word := range strings.Split(native, ", ") {
		pairs[i][1] = word
	}
	return pairs
}

const english = "Physics, Chemistry, Medicine, Law, Informatics, Oceanography, Geology, Linguistics"

var languages = []language{
	{[]string{"GB", "IE"}, "PERSON Institute of SUBJECT, University of CITY", "PERSON Institute of SUBJECT, University of CITY", same(english),
		same("Leeds, Exeter, Galway, Aberdeen, Swansea, St Andrews, Norwich, Cork"),
		same("Alice, Oliver, Aoife, Harriet, Rhys, Niamh, Edward, Siobhán"), same("Whitfield, O’Brien, Llewellyn, MacLeod, Ashworth, Ó Súilleabháin, Pemberton, Fraser")},
	{[]string{"DE", "AT", "CH"}, "PERSON Institute of SUBJECT, CITY", "PERSON-Institut für SUBJECT, Universität CITY", both(english, "Physik, Chemie, Medizin, Rechtswissenschaft, Informatik, Meereskunde, Geologie, Sprachwissenschaft"),
		same("Göttingen, München, Zürich, Würzburg, Köln, Graz, Tübingen, Gießen"),
		same("Jürgen, Käthe, Björn, Friederike, Götz, Annemarie, Rüdiger, Heike"), same("Müller, Schröder, Weiß, Köhler, Lindemann, Größl, Hartwig, Jäger")},
	{[]string{"FR", "BE", "CH"}, "PERSON Institute of SUBJECT, CITY", "Institut PERSON, SUBJECT, Université de CITY", both(english, "Physique, Chimie, Médecine, Droit, Informatique, Océanographie, Géologie, Linguistique"),
		same("Orléans, Besançon, Liège, Nîmes, Genève, Angoulême, Rennes, Mâcon"),
		same("Élodie, François, Zoé, Jérôme, Agnès, Benoît, Maëlle, Théo"), same("Lefèvre, Dubois, Garçon, Bérard, Fontaine, Noël, Chevallier, Rousseau")},
	{[]string{"ES", "MX", "AR"}, "PERSON Institute of SUBJECT, CITY", "Centro PERSON de SUBJECT, CITY", both(english, "Física, Química, Medicina, Derecho, Informática, Oceanografía, Geología, Lingüística"),
		same("Cádiz, Logroño, Córdoba, Mérida, A Coruña, León, Málaga, Querétaro"),
		same("Íñigo, María, José, Begoña, Andrés, Lucía, Joaquín, Inés"), same("Núñez, García, Ibáñez, Peña, Saavedra, Echeverría, Muñoz, Quintana")},
	{[]string{"EE"}, "PERSON Institute of SUBJECT, CITY", "PERSON nimeline instituut, SUBJECT, CITY Ülikool", both(english, "Füüsika, Keemia, Arstiteadus, Õigus, Informaatika, Okeanoloogia, Geoloogia, Keeleteadus"),
		both("Tartu, Tallinn, Pärnu, Võru, Narva, Kuressaare, Põlva, Jõhvi", "Tartu, Tallinna, Pärnu, Võru, Narva, Kuressaare, Põlva, Jõhvi"),
		same("Ülle, Tõnu, Õie, Jaan, Külli, Märt, Liis, Andrus"), same("Tamm, Põder, Õunapuu, Mägi, Käär, Kütt, Saar, Rüütel")},
	{[]string{"PL"}, "PERSON Institute of SUBJECT, CITY", "Instytut im. PERSON, SUBJECT, CITY", both(english, "Fizyka, Chemia, Medycyna, Prawo, Informatyka, Oceanografia, Geologia, Językoznawstwo"),
		same("Łódź, Kraków, Gdańsk, Poznań, Wrocław, Toruń, Białystok, Rzeszów"),
		same("Łukasz, Małgorzata, Zbigniew, Jagoda, Święcisława, Kazimierz, Bożena, Grzegorz"), same("Wójcik, Dąbrowska, Żak, Śliwa, Kowalczyk, Gołąb, Pająk, Zieliński")},
	{[]string{"IS", "NO", "DK"}, "PERSON Institute of SUBJECT, CITY", "PERSON institutt for SUBJECT, CITY", both(english, "Fysikk, Kjemi, Medisin, Rettsvitenskap, Informatikk, Havforskning, Geologi, Språkvitenskap"),
		same("Tromsø, Århus, Reykjavík, Bodø, Ålesund, Ísafjörður, Ærø, Bergen"),
		same("Bjørn, Þórunn, Åse, Søren, Guðrún, Øyvind, Ragnhild, Jón"), same("Ødegård, Sørensen, Þórarinsson, Ås, Kjær, Bråten, Æbelø, Lund")},
	{[]string{"UA"}, "PERSON Institute of SUBJECT, CITY", "Інститут імені PERSON, SUBJECT, CITY", both(english, "Фізика, Хімія, Медицина, Право, Інформатика, Океанологія, Геологія, Мовознавство"),
		both("Kyiv, Lviv, Odesa, Kharkiv, Chernivtsi, Dnipro, Uzhhorod, Poltava", "Київ, Львів, Одеса, Харків, Чернівці, Дніпро, Ужгород, Полтава"),
		both("Olena, Taras, Oksana, Bohdan, Liudmyla, Andrii, Yaroslava, Mykola", "Олена, Тарас, Оксана, Богдан, Людмила, Андрій, Ярослава, Микола"),
		both("Shevchenko, Kovalenko, Bondar, Tkachuk, Lysenko, Melnyk, Hrytsenko, Zhuk", "Шевченко, Коваленко, Бондар, Ткачук, Лисенко, Мельник, Гриценко, Жук")},
	{[]string{"BG"}, "PERSON Institute of SUBJECT, CITY", "Институт „PERSON“, SUBJECT, CITY", both(english, "Физика, Химия, Медицина, Право, Информатика, Океанография, Геология, Езикознание"),
		both("Sofia, Plovdiv, Varna, Ruse, Burgas, Shumen, Vidin, Pleven", "София, Пловдив, Варна, Русе, Бургас, Шумен, Видин, Плевен"),
		both("Ivan, Rositsa, Georgi, Tsvetana, Dimitar, Yordanka, Petar, Zhivka", "Иван, Росица, Георги, Цветана, Димитър, Йорданка, Петър, Живка"),
		both("Ivanov, Dimitrov, Vasilev, Hristov, Zhelev, Stoyanov, Todorov, Yanev", "Иванов, Димитров, Василев, Христов, Желев, Стоянов, Тодоров, Янев")},
	{[]string{"GR", "CY"}, "PERSON Institute of SUBJECT, CITY", "Ινστιτούτο PERSON, SUBJECT, CITY", both(english, "Φυσική, Χημεία, Ιατρική, Νομική, Πληροφορική, Ωκεανογραφία, Γεωλογία, Γλωσσολογία"),
		both("Athens, Thessaloniki, Patras, Ioannina, Volos, Heraklion, Nicosia, Chania", "Αθήνα, Θεσσαλονίκη, Πάτρα, Ιωάννινα, Βόλος, Ηράκλειο, Λευκωσία, Χανιά"),
		both("Eleni, Nikos, Ioanna, Giorgos, Sofia, Dimitris, Kyriaki, Spyros", "Ελένη, Νίκος, Ιωάννα, Γιώργος, Σοφία, Δημήτρης, Κυριακή, Σπύρος"),
		both("Papadopoulos, Georgiou, Nikolaidis, Vlachos, Angelopoulos, Makris, Oikonomou, Xenakis", "Παπαδόπουλος, Γεωργίου, Νικολαΐδης, Βλάχος, Αγγελόπουλος, Μακρής, Οικονόμου, Ξενάκης")},
}

var descriptions = []string{
	"",
	"Calls for computing time, storage and support; two rounds a year.",
	"Appels à projets : calcul intensif, stockage et accompagnement des équipes de recherche.",
	"Aufrufe für Rechenzeit und Speicher. Anträge werden von zwei Gutachterinnen oder Gutachtern gelesen.",
	"Arvutusressursside taotlusvoorud Eesti teadlastele.",
	"Конкурси на обчислювальний час для наукових груп.",
	"Προσκλήσεις για χρόνο υπολογισμού και αποθήκευση δεδομένων.",
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// institution makes the names of an organisation; both end in ending.
func institution(r *rand.Rand, ending string) (name, native, abbreviation, country string) {
	l := pick(r, languages)
	subject, city, given, family := pick(r, l.subjects), pick(r, l.cities), pick(r, l.given), pick(r, l.family)
	spell := func(template string, of int) string {
		return strings.NewReplacer("SUBJECT", subject[of], "CITY", city[of], "PERSON", given[of]+" "+family[of]).Replace(template) + ending
	}
	name, native = spell(l.latin, 0), spell(l.native, 1)
	if r.IntN(3) == 0 { // some go by their native name alone
		name, native = native, ""
	}
	for part := range strings.FieldsSeq(name) {
		if first, _ := utf8.DecodeRuneInString(part); unicode.IsUpper(first) {
			abbreviation += string(first)
		}
	}
	return name, native, abbreviation, pick(r, l.countries)
}

// person makes the names of a user; login has a username's letters alone.
func person(r *rand.Rand) (full, native, login string) {
	l := pick(r, languages)
	given, family := pick(r, l.given), pick(r, l.family)
	full = given[0] + " " + family[0]
	if given[1] != given[0] {
		native = given[1] + " " + family[1]
	}
	login = strings.Map(func(c rune) rune {
		switch {
		case c == ' ':
			return '.'
		case c < 'a' || c > 'z':
			return -1
		}
		return c
	}, norm.NFKD.String(strings.ToLower(full)))
	return full, native, login
}
