//! What the words of a value say about whether it is somebody's name: a bare `name` is a person's, a product's, a
//! company's or an event's, and where the place does not tell, the words do.

use crate::redact::evidence::Listed;
use crate::redact::evidence::brands::has_brand;
use crate::redact::evidence::captions::{is_blank, is_caption};
use crate::redact::evidence::given_names::is_given;
use crate::redact::evidence::goods::is_of_goods;
use crate::redact::evidence::words::Words;
use std::sync::LazyLock;

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Looks {
    /// It has a common given name, and no word of things.
    Person,
    /// It could be a name or anything else.
    Open,
    /// It has a legal form, a word of things, or what no name has.
    Thing,
}

/// Longest value that may be a name, bytes.
const NAME_BYTES_MAX: usize = 100;
/// Shorter given names are words of other languages too.
const GIVEN_CHARS_MIN: usize = 3;

/// What a value looks like. Takes time linear in at most a hundred bytes.
pub(in crate::redact) fn looks(value: &str) -> Looks {
    let value = value.trim();
    if value.len() > NAME_BYTES_MAX || value.chars().any(|c| c.is_numeric() || "_&@#%/\\<>[]{}=+*|:!?\"".contains(c)) {
        return Looks::Thing;
    }
    // An identifier: lower case, its words joined by signs.
    let is_slug = !value.contains(' ')
        && value.contains(['-', '.'])
        && !value.chars().any(char::is_uppercase)
        && value.is_ascii();
    if is_slug
        || is_file(value)
        || is_blank(value)
        || is_of_company(value)
        || is_house(value)
        || is_caption(value)
        || is_honorific(value)
        || is_title(value)
    {
        return Looks::Thing;
    }
    let words = words_of(value);
    // A word alone may be anybody's surname, also one of goods.
    if words.len() > 1 && words.iter().any(|word| is_of_goods(word)) {
        return Looks::Thing;
    }
    let things = words.iter().filter(|word| is_thing(word)).count();
    let given = words.iter().any(|word| word.len() >= GIVEN_CHARS_MIN && is_given(word));
    match (things, given) {
        (0, true) => Looks::Person,
        (0, false) => Looks::Open,
        // `Mark Price`, `Rosa Post`: with a given name before it, one word of things may be a surname.
        (1, true) if is_given(&words[0]) && !words.iter().any(|word| is_company_word(word)) => Looks::Person,
        _ => Looks::Thing,
    }
}

/// Whether nothing speaks against a person.
pub(in crate::redact) fn may_be_person(value: &str) -> bool {
    looks(value) != Looks::Thing
}

/// The same of the name of a file or a directory, whose words are joined.
pub(in crate::redact) fn may_be_person_in_path(value: &str) -> bool {
    may_be_person(&value.replace(['_', '+'], " ").replace("%20", " "))
}

/// Whether there is a common given name in it, and another word; brands have that too, and in a text or under a name that
/// says little they are more often meant.
pub(in crate::redact) fn is_known_person(value: &str) -> bool {
    value.trim().contains([' ', ',']) && looks(value) == Looks::Person && !has_brand(&words_of(value))
}

/// Shorter ends of a mailbox's one word are words of their own too often.
const SURNAME_CHARS_MIN: usize = 6;
/// Words of a name written in full, at least and at most.
const WRITTEN_WORDS: std::ops::RangeInclusive<usize> = 2..=5;
/// Words within a name that need no capital.
const PARTICLES: [&str; 22] = [
    "van", "von", "de", "der", "den", "del", "della", "di", "da", "dos", "du", "la", "le", "bin", "al", "el", "y", "e",
    "zu", "ter", "ten", "'t",
];

/// Characters of a name in the scripts of East Asia, which has no blanks.
const EASTERN_CHARS: std::ops::RangeInclusive<usize> = 2..=4;

/// Whether a whole text is written as a name is: some words with capitals, particles between them, or a few characters of
/// East Asia; and nothing speaks against a person.
pub(in crate::redact) fn is_written_as_name(text: &str) -> bool {
    let is_of_name = |word: &str| {
        PARTICLES.contains(&word)
            || word.starts_with(|c: char| c.is_uppercase() || c.is_alphabetic() && !c.is_lowercase())
                && word.chars().all(|c| c.is_alphabetic() || "'’-.".contains(c))
    };
    let is_eastern = |text: &str| {
        EASTERN_CHARS.contains(&text.chars().count())
            && text.chars().all(|c| c >= EASTERN_FROM && c.is_alphabetic())
            && !is_of_company(text)
    };
    let words = text.split(' ');
    is_eastern(text)
        || WRITTEN_WORDS.contains(&words.clone().count()) && words.clone().all(is_of_name) && may_be_person(text)
}

/// The names in a mailbox's address that is made of them, with a capital each: `ada.quittenbaum@..`. One must be a common
/// given name, and none a word of things. Of an initial and a name in one word (`aquittenbaum@..`) the name, in case it is
/// one: only a word with a capital elsewhere is compared with it.
pub(in crate::redact) fn names_in_mailbox(address: &str) -> Vec<String> {
    let local = address.split(['@', '+']).next().unwrap_or_default().to_ascii_lowercase();
    let parts: Vec<&str> =
        local.split(['.', '_', '-']).map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit())).collect();
    let is_word =
        |part: &&str| part.len() >= GIVEN_CHARS_MIN && part.bytes().all(|b| b.is_ascii_lowercase()) && !is_thing(part);
    let capital = |part: &str| [&part[..1].to_ascii_uppercase(), &part[1..]].concat();
    if let [part] = parts[..]
        && is_word(&part)
        && let Some(rest) = part.get(1..).filter(|rest| rest.len() >= SURNAME_CHARS_MIN && !is_thing(rest))
    {
        return vec![capital(rest)];
    }
    if !(2..=3).contains(&parts.len()) || !parts.iter().all(is_word) || !parts.iter().any(|part| is_given(part)) {
        return Vec::new();
    }
    parts.into_iter().map(capital).collect()
}

/// Whether it is nothing but a common given name.
pub(in crate::redact) fn is_known_given(value: &str) -> bool {
    value.starts_with(|c: char| !c.is_lowercase())
        && matches!(&words_of(value)[..], [word] if is_given(word) && !is_thing(word))
}

/// Whether it begins with a common given name, as a name in the middle of a text must.
pub(in crate::redact) fn begins_as_person(value: &str) -> bool {
    is_known_person(value) && words_of(value).first().is_some_and(|word| is_given(word))
}

/// Whether a name to sign in with begins with a common given name and goes on with a word that is nothing else:
/// `ada.lovelace`, `nicole_chauveau4`.
pub(in crate::redact) fn is_known_login(value: &str) -> bool {
    let bare = value.trim_end_matches(|c: char| c.is_ascii_digit());
    bare.split_once(['.', '_']).is_some_and(|(first, last)| {
        is_given(first)
            && last.len() >= LAST_BYTES_MIN
            && !is_thing(first)
            && !is_thing(last)
            && !EXTENSIONS.contains(&last)
    })
}

/// Shorter last parts are of files, modules and actions.
const LAST_BYTES_MIN: usize = 4;
/// Last parts of four letters and more that are no surnames.
const EXTENSIONS: [&str; 20] = [
    "json", "html", "jpeg", "yaml", "toml", "docx", "xlsx", "pptx", "conf", "lock", "local", "internal", "java",
    "class", "swift", "read", "node", "name", "info", "test",
];

/// Whether letters with two digits behind them may be a name to sign in with: no word of things, machines and formats.
pub(in crate::redact) fn may_be_login(value: &str) -> bool {
    let word = value.trim_end_matches(|c: char| c.is_ascii_digit());
    !is_thing(word) && !is_thing(word.trim_end_matches('s')) && !MACHINE_WORDS.contains(&word)
}

/// Words that two digits stand behind without being a person's.
const MACHINE_WORDS: [&str; 38] = [
    "float", "python", "windows", "macos", "android", "chrome", "firefox", "safari", "phase", "shard", "batch",
    "sprint", "floor", "suite", "block", "bucket", "cluster", "device", "sensor", "panel", "vlan", "subnet", "januar",
    "march", "april", "august", "zeile", "seite", "woche", "ligne", "semaine", "linea", "pagina", "prod", "stage",
    "alpha", "gamma", "delta",
];

/// Its words folded, without initials.
fn words_of(value: &str) -> Vec<String> {
    value.split([' ', '\u{a0}', ',', '-', '.']).map(folded).filter(|word| word.chars().nth(1).is_some()).collect()
}

/// Whether it is no legal person, told by its legal form, no caption of a form and no word for an empty field: a person
/// may have any other words as a name.
pub(in crate::redact) fn is_no_company(value: &str) -> bool {
    let value = value.trim();
    !is_of_company(value) && !is_caption(value) && !is_blank(value) && !is_house(value) && !is_file(value)
}

/// What files that somebody hands in end with.
const FILES: [&str; 26] = [
    "pdf", "doc", "docx", "odt", "rtf", "txt", "xls", "xlsx", "csv", "ppt", "pptx", "png", "jpg", "jpeg", "gif",
    "heic", "webp", "svg", "tif", "tiff", "zip", "gz", "mp3", "mp4", "mov", "wav",
];

/// Whether it is the name of a file: whose it is, patterns look for in it.
fn is_file(value: &str) -> bool {
    let end = value.rsplit_once('.').map_or("", |(_, end)| end);
    end.len() <= 4 && FILES.iter().any(|file| end.eq_ignore_ascii_case(file))
}

/// Whether it is a company that has two names of persons, and that nobody is called like.
fn is_house(value: &str) -> bool {
    // Nearly every value ends here, before its words are folded.
    let head = value.get(..2).unwrap_or_default().to_ascii_lowercase();
    value.len() <= HOUSE_BYTES_MAX
        && HOUSES.iter().any(|house| house.starts_with(&head))
        && HOUSES.contains(&words_of(value).join(" ").as_str())
}

/// The longest of them with its accents, bytes.
const HOUSE_BYTES_MAX: usize = 20;
/// As they are compared, in the order of the alphabet.
const HOUSES: [&str; 14] = [
    "alfa romeo",
    "aston martin",
    "charles schwab",
    "estee lauder",
    "goldman sachs",
    "harley davidson",
    "land rover",
    "leroy merlin",
    "martin marietta",
    "mercedes benz",
    "merrill lynch",
    "morgan stanley",
    "rolls royce",
    "wells fargo",
];

/// Whether it has a small word that titles are made with, and names never: `Intro to Bread Baking`. Names have `in`:
/// `Sophie in 't Veld`.
fn is_title(value: &str) -> bool {
    value.split(' ').skip(1).any(|word| TITLE_WORDS.contains(&word))
}

const TITLE_WORDS: [&str; 11] = ["for", "to", "with", "on", "at", "by", "from", "your", "our", "für", "pour"];

/// Whether it is only how somebody is addressed.
fn is_honorific(value: &str) -> bool {
    value.len() <= HONORIFIC_BYTES_MAX
        && HONORIFICS.split_whitespace().any(|one| value.trim_end_matches('.').eq_ignore_ascii_case(one))
}

/// The longest of them and a full stop, bytes.
const HONORIFIC_BYTES_MAX: usize = 13;
/// Without their full stop, apart by spaces.
const HONORIFICS: &str = "mr mrs ms miss mx dr prof sir madam herr frau monsieur madame mme \
    mlle mademoiselle sr sra srta senor senora dott signor signora dhr mevr pani";

fn folded(word: &str) -> String {
    Words::of(word).joined().to_owned()
}

/// Whether it ends in a legal form (`Ltd`, `GmbH & Co. KG`, `S.r.l.`), or begins with one as in Eastern Europe; or has the
/// word of companies that Chinese, Japanese and Korean names are written with.
fn is_of_company(value: &str) -> bool {
    let is_eastern = value.chars().any(|c| c >= EASTERN_FROM);
    if is_eastern && EASTERN_FORMS.split_whitespace().any(|form| value.contains(form)) || begins_with_form(value) {
        return true;
    }
    let words: Vec<&str> = value.split_whitespace().collect();
    let of_any_case = |word: &str| {
        word.len() <= LEGAL_FORM_BYTES_MAX && LEGAL_FORMS_ANY_CASE.contains(word.to_ascii_lowercase().as_str())
    };
    let form = |word: &str| {
        let bare: String = word.chars().filter(|c| !".,()".contains(*c)).collect();
        LEGAL_FORMS.contains(&bare.as_str()) || of_any_case(&bare)
    };
    words.len() > 1 && (words.last().is_some_and(|word| form(word)) || words.iter().any(|word| is_dotted_form(word)))
        || words.len() > 2 && words[1..].iter().any(|word| of_any_case(word))
}

/// `ООО Ромашка`, `АО «Связь»`: a legal form of Russia, Ukraine or Bulgaria with a name behind it.
fn begins_with_form(value: &str) -> bool {
    !value.starts_with(|c: char| c.is_ascii())
        && value.split_once(' ').is_some_and(|(form, _)| CYRILLIC_FORMS.split_whitespace().any(|one| one == form))
}

const CYRILLIC_FORMS: &str = "ООО ОАО ЗАО ПАО АО НАО ТОО ТОВ ПАТ ПрАТ ЕООД ЕАД ФГУП";
/// Below are the scripts of the West, of India and of Arabia.
const EASTERN_FROM: char = '\u{2e80}';
/// Legal forms, and the last words of companies' names.
const EASTERN_FORMS: &str = "株式会社 有限会社 合同会社 合資会社 ㈱ (株) 製作所 商事 銀行 工業 電機 産業 商店 学校 病院 大学 公司 集团 集團 银行 有限 股份 企业 企業 医院 大學 학교 주식회사 ㈜ (주) 은행 병원";

/// `S.A.`, `S.r.l.`, `B.V.`: initials of persons have a surname behind them and other letters.
fn is_dotted_form(word: &str) -> bool {
    if word.bytes().filter(|b| *b == b'.').count() < 2 {
        return false;
    }
    let bare: String = word.trim_end_matches(',').chars().filter(|c| *c != '.').collect();
    DOTTED_FORMS.iter().any(|form| bare.eq_ignore_ascii_case(form))
}

/// Forms that are names or words when written in another case.
const LEGAL_FORMS: [&str; 31] = [
    "AG", "KG", "SE", "SA", "SL", "SRL", "SpA", "SPA", "BV", "NV", "AB", "AS", "ASA", "OY", "Oy", "Oyj", "ApS", "APS",
    "A/S", "KK", "UG", "OHG", "eV", "eK", "eG", "SC", "SAS", "SNC", "PT", "CV", "Co",
];
static LEGAL_FORMS_ANY_CASE: LazyLock<Listed<&str>> = LazyLock::new(|| LEGAL_FORM_LIST.split_whitespace().collect());
/// The longest of them, bytes.
const LEGAL_FORM_BYTES_MAX: usize = 12;
const LEGAL_FORM_LIST: &str = "gmbh mbh ggmbh ltd limited llc llp plc inc incorporated corp corporation pty sarl eurl sasu kft zrt nyrt \
    ltda lda eireli doo sro ooo oü uab sia gbr pvt bhd";
const DOTTED_FORMS: [&str; 17] =
    ["sa", "sl", "srl", "spa", "bv", "nv", "sas", "snc", "sro", "doo", "ag", "kg", "as", "kk", "cv", "oo", "llc"];

fn is_thing(folded: &str) -> bool {
    THING_WORDS.contains(folded)
        || COMPANY_WORDS.contains(folded)
        || folded.strip_suffix('s').is_some_and(|one| COMPANY_WORDS.contains(one))
}

fn is_company_word(folded: &str) -> bool {
    COMPANY_WORDS.contains(folded) || folded.strip_suffix('s').is_some_and(|one| COMPANY_WORDS.contains(one))
}

static COMPANY_WORDS: LazyLock<Listed<&'static str>> = LazyLock::new(|| words(&COMPANIES));
static THING_WORDS: LazyLock<Listed<&'static str>> = LazyLock::new(|| words(&THINGS));

fn words(lists: &[&'static str]) -> Listed<&'static str> {
    lists.iter().flat_map(|list| list.split_whitespace()).collect()
}

/// Words of companies, authorities and services: a name that has one is not a person's, whatever stands before it.
const COMPANIES: [&str; 6] = [
    "medicine pediatrics paediatrics cardiology radiology oncology dermatology physiotherapy \
     twitter facebook linkedin instagram github gitlab bitbucket youtube tiktok whatsapp google microsoft amazon slack paypal \
     stripe shopify twilio netflix spotify dropbox atlassian salesforce hubspot zendesk mastercard dollar euro",
    "strasse svcs intl philharmonic orchestra academy advertising agency airline airway airport analytics apartment apparel appliance architect association associates atelier authority automotive \
     aviation bakery bank banking bar bistro boutique brewery broker brewing builder building bureau business cafe camp capital cargo care catering center \
     centre chemical church cinema cleaning clinic clothing club coffee college commerce committee communication community company computing construction \
     consulting consultancy cooperative cosmetic council council courier court dealer deli dental dentistry department design diagnostic digital \
     distribution distributor division dynamic economy education electric electrical electronic energy engineering enterprise entertainment equipment estate \
     exchange express factory farm fashion federation finance financial fitness florist food forwarding foundation freight furniture gallery garage gas gateway \
     global government group grocery gym hardware health healthcare holding home hospital hospitality hostel hotel household housing industrial industry \
     inn institute institution insurance interior international internet investment jewelry jewellery kitchen lab laboratory laundry legal leisure library \
     lighting logistic logistics lounge machine machinery maintenance management manufacturing marine market marketing mart media medical merchandise metal \
     ministry mobile mobility mortgage motor museum music mutual network nursery nursing office oil online organisation organization outfitter outlet packaging paper partner \
     partnership pension pet petrol petroleum pharma pharmacy photography pizza pizzeria plastic platform plumbing post press print printing product production \
     property publisher publishing pub radio railway realty recruitment rental repair research residence resort restaurant retail roaster roofing salon school \
     security seminar service shipping shop shopping society software solar solution spa sport stadium staffing station steel storage store studio supermarket supplies \
     supplier supply support surgery system taxi team tech technical technology telecom telecommunication textile theater theatre tourism toy trade trader trading \
     training transport transportation travel treasury trust union university utilities vehicle venture veterinary warehouse waste wholesale winery works workshop",
    "aktiengesellschaft akademie amt anstalt apotheke autohaus backerei bau baugesellschaft behorde betrieb bezirksamt buchhandlung bundesamt bundesbank dienst dienste \
     dienstleistung druckerei einkauf fabrik finanzamt firma gaststatte gemeinde genossenschaft gesellschaft gesundheit gruppe handel handelsgesellschaft handwerk hochschule \
     immobilien industrie ingenieurburo institut kanzlei kasse kaufhaus klinik klinikum krankenhaus krankenkasse kreditbank kundenservice landesbank landratsamt lieferung markt \
     maschinenbau ministerium mobel paket personal praxis rathaus reisen sparkasse spedition stadtwerke standesamt stiftung systeme technik tischlerei universitat unternehmen \
     verein verkehr verlag versand versicherung versicherungen vertrieb verwaltung volksbank werbung werk werke werkstatt wirtschaft zentrum",
    "agence assurance assurances atelier banque boulangerie bureau cabinet caisse clinique commerce compagnie comptabilite conseil cooperative credit ecole editions \
     electricite entreprise etablissement etablissements gestion garage groupe hopital immobilier imprimerie informatique laboratoire librairie livraison logistique mairie maison \
     marche menuiserie ministere mutuelle patisserie pharmacie plomberie prefecture restauration societe transports tresor universite voyages \
     agencia alimentacion almacen asesoria asociacion ayuntamiento banco caja clinica colegio comercial comercio compania consultores consultoria cooperativa construcciones \
     distribuciones editorial empresa energia entrega envio escuela ferreteria fundacion gestion grupo hotel industria industrias inmobiliaria instituto libreria ministerio \
     muebles oficina panaderia papeleria farmacia peluqueria restaurante seguros servicio servicios sistemas sociedad soluciones suministros supermercado taller tecnologia tecnologias \
     tienda tiendas transportes universidad viajes",
    "agenzia alimentari assicurazioni associazione azienda banca bottega cantina cascina casa cassa centro commerciale comune consorzio consulenza costruzioni \
     edilizia editrice elettronica energia fabbrica farmacia fondazione gelateria gruppo immobiliare impianti industrie laboratorio libreria logistica macelleria ministero \
     officina ospedale osteria panificio pasticceria pizzeria poste ristorante salumeria scuola servizi servizio sistemi societa soluzioni spedizioni studio tecnologie trasporti \
     trattoria universita viaggi \
     armazem associacao banco camara clinica comercio construtora consultoria construcoes empresa engenharia escola escritorio farmacia fundacao grupo hospital imobiliaria \
     industria loja materiais mercado oficina padaria papelaria prefeitura restaurante seguradora seguros servicos sistemas solucoes supermercados tecnologia transportadora \
     universidade viagens",
    "administratie apotheek bakkerij bedrijf bouw bouwbedrijf dienst dienstverlening drukkerij garage gemeente groep handel handelsonderneming huisarts installatie kantoor makelaardij \
     makelaars ministerie onderneming onderwijs politie praktijk school slagerij stichting techniek transport uitgeverij vereniging verzekering verzekeringen winkel zorg \
     apteka bank biuro biblioteka budownictwo centrum drukarnia fabryka firma fundacja grupa handel hurtownia instytut kancelaria ksiegarnia logistyka ministerstwo piekarnia poczta \
     przedsiebiorstwo restauracja sklep spoldzielnia stowarzyszenie szkola szpital transport ubezpieczenia uniwersytet urzad uslugi wydawnictwo zaklad zaklady \
     aktiebolag apotek bageri butik byggnads bygg bolag foretag forening forsakring forsakringar frakt gruppen handelsbolag kommun konsult kontor kraft leverans posten restaurang sjukhus skola \
     stiftelse transporter universitet verkstad anonim belediye belediyesi bakanligi eczane eczanesi fabrikasi hastane hastanesi holding insaat isletmeleri kargo lokanta lokantasi magaza market \
     mudurlugu nakliyat okul okulu otel pazarlama sanayi servis servisi sigorta sirketi ticaret turizm universitesi vakfi yapi",
];

/// Words of products, plans, events, places and screens; some are surnames too, which a given name before them tells.
const THINGS: [&str; 11] = [
    // Plans, services, levels
    "orders notifications receipts invoices payments newsletters updates alerts \
     access add addon advanced advantage air alert annual annually anniversary api app application archive audit auto automatic backup balance basic benefit best bi billing \
     black bonus bronze bulk bundle business cancellation cash cashback choice classic collect collection complete comfort compact connect contract coupon cover coverage custom daily data deal \
     default delivery delivered deluxe demo deposit direct discount domestic domicile drop dropoff early easy economy elite enterprise essential essentials exclusive expedited express extended extra \
     family fast fee first fixed flat flex flexible forever free freemium full gift gold goods ground growth guest half high hold holiday hour hourly hybrid instant instore international \
     junior landing last launch letter level light limited line lite local locker loyalty mail max maximum membership mini minimum monthly mail mega metro new next night now offer \
     on one online open option order overnight pack package page paket parcel pass pay payment per pick pickup plan platinum plus points pool post postal premier premium prepaid preferred \
     priority pro professional program programme promo promotion quarter quarterly quick rate regular reward rush sale same saver savings scale season secure select self senior share shared \
     signature silver single slot smart special speed sandbox standard starter sub subscription super surcharge talk tariff tarif text tier ticket time top tracked tracking trial two ultimate ultra \
     unlimited upgrade vacation hours overtime accrual absence value voucher waiver weekly weekend welcome worldwide year yearly zone",
    // Products and their parts
    "accessory adapter album amplifier apron bag ball bamboo basket bath battery beach bean bed bedding bench bicycle bike blanket blend blender board book boot boots bottle bowl box bracelet \
     brake bread brush bucket cable cake camera candle cap capsule card carpet cartridge case cat ceramic chain chair charger cheese chip chocolate clock coat cold collar compact console \
     container cooker cotton cover cream crew cup curtain cushion cutter desk device diaper disc dish display dock dog door dress drill drink drive dryer dumbbell earbud earbuds earphone ebook edition \
     engine espresso fabric fan fiber filter flask fleece floor foam foil fork frame fridge fryer fuel game garden glass glasses glove gloves grill grinder guitar hat headphone headphones headset heater \
     helmet hoodie hook hose hub inch insulated jacket jar jeans jersey juice kettle keyboard kids kit knife knit lamp lantern laptop large leather lego lens linen liner lipstick lunch machine magnet mask mat \
     mattress medium merino mesh microphone milk mirror model module monitor mount mouse mug neck necklace noise notebook oak oat oil organic organizer outdoor oven oxford pad paint pan pants paper peanut pen \
     pencil phone photo pillow pipe pizza plate player pot poster powder power pressure printer processor projector protein pump puzzle rack rain range razor refill remote replacement ring rope rug runner \
     running salt sandal sauce scarf screen screw sensor serum set shade shampoo sheet shelf shelving shirt shoe shoes short shorts shower side skirt skin sleeve slim sneaker soap sock socks sofa soft \
     solid sound soy speaker spice spoon stainless stand stool strap stroller sugar suit sunglasses sweater switch table tablet tank tape tea tee tent thermal tire tires tool toothbrush torch towel toy tracker trail \
     trainer tray tripod trousers tube umbrella usb vacuum vase vest vinyl vitamin vodka walnut wallet washer watch water waterproof wheel whey wine wireless wooden wool wrap yarn yoga zip",
    // Materials, colours, sizes and qualities
    "armchair sofa couch wardrobe bookcase vase teapot cutlery spatula skillet wok toaster humidifier thermostat doorbell drone soundbar turntable ukulele violin piano drum sneakers loafer parka cardigan blouse leggings beanie mittens backpack \
     rucksack duffel suitcase purse handbag tote earrings pendant cologne perfume lotion moisturizer mascara trimmer toothpaste granola muesli honey jam pasta noodles cereal cookies biscuit crackers chips nuts almonds cashew matcha cocoa cider lager ale \
     stout gin whisky rum seeds planter mower shovel hammer wrench screwdriver saw sander pliers ladder toolbox tarp thermos cooler kayak paddle surfboard snowboard skis skates racket dumbbells treadmill blocks crayons doll plush crib diapers bib pacifier \
     shield sword potion armor armour \
     leash kibble aquarium litter cage webcam router modem scanner toner motherboard stylus gimbal subwoofer kitchen garden bathroom bedroom office headlamp hammock trekking hiking cycling fishing camping climbing chopping cutting cooking baking sleeping \
     reading writing standing folding sticker stickers poster mugs socks gloves tights scarves boots sandals slippers sunscreen detergent sponge candle lantern diffuser incense blanket quilt duvet pillowcase towel bathrobe apron \
     acrylic aluminium aluminum anodized anti aqua balsam beige blue brass bright burgundy carbon cashmere charcoal chrome comfortable concentrate copper coral cordless crimson crystal dark denim digital double \
     durable electric essential extra fine fresh gluten golden graphite green grey handmade heavy herbal hot indigo ivory khaki lightweight magenta matte maroon medium metal metallic microfiber mint modern natural navy nylon \
     olive orange original pastel pink plastic polyester portable printed pure purple raw red reusable rubber rustic satin silicone silk sleek small steel striped suede sustainable sweet teal titanium transparent turquoise \
     turbo unisex universal velvet vintage violet warm white yellow mix throw stripe striped jet eternity polo checking savings brokerage",
    // Events and states
    "abandoned accepted activated active added approved archived assigned attached attempted authorised authorized blocked bounced browsed cancelled canceled captured changed charged checked checkout clicked closed \
     completed confirmed connected converted created declined deleted denied disabled dispatched disputed downloaded dropped edited enabled ended entered event expired exported failed failure fulfilled generated imported \
     initiated installed invited invoice issued joined listed loaded locked logged login logout matched merged modified moved notification notified opened ordered paid paused pending performed placed played posted processed \
     published purchased received recorded refunded refund registered rejected released removed renamed renewed replied requested reset resolved restored resumed returned reversed reviewed saved scanned scheduled searched \
     selected sent session shipped shown signed signup skipped started stopped submitted subscribed succeeded success suspended switched synced tapped tested toggled transferred triggered unsubscribed updated upgraded uploaded \
     used validated verified viewed visited webhook",
    // Software, machines and screens
    "account action address admin administrator agent algorithm amount analysis analyst android answer attribute authentication author authorization automation backend batch beta bot browser button cache calendar campaign cancel cart category \
     category chart chat chrome client cluster code command comment component config configuration connection connector contact content context control cookie core create credentials credit cron currency customer dashboard \
     database date debit debug delete deploy deployment description desktop detail developer dialog directory domain download draft edge edit editor element email employee endpoint enter error export extension facebook \
     feature feed field file firewall folder font footer form forum frontend function graph handler header help history host icon identity image import index infrastructure input inspector integration invoice item java job journal key \
     label language layout learn ledger library license link linux list listener load log macbook manager map member menu message method metric microsoft migration monitoring name native navigation node note number \
     object operation operator output overview owner panel parameter password path permission picker pipeline placeholder plugin policy port portal preview process profile project prompt protocol proxy provider python queue query question \
     receipt record redirect region registry reminder replica report repository request resource response result retry role root router rule runtime sample save schedule scheduler schema scope scoring script search section send \
     server session setting settings setup sheet sign site source sql stage staging status step stream style subject submit summary survey sync tab tag task template tenant terminal test theme thread title token topic trace \
     traffic transaction translation type unit update upload user username validation variable version video view viewer virtual web website widget window windows workflow worker workspace",
    // Programs by name, languages
    "release releases notes changelog roadmap airflow ansible apache argo aws azure cd chatgpt chromium cloud confluence copilot databricks datadog debian docker elastic elasticsearch envoy fedora firefox gcp gemini grafana hadoop haproxy ios jira json kafka \
     kibana kotlin kubernetes macos mongodb mozilla mysql nginx oauth okta openai oracle postgres postgresql prometheus pulumi rabbitmq redis safari sap saml sentry snowflake splunk sqlite ssh ssl sso temporal terraform tls ubuntu \
     vault webkit xml yaml zapier \
     arabic bengali brazilian bulgarian cantonese castilian chinese croatian czech dutch estonian finnish flemish greek hebrew hindi hungarian icelandic indonesian italian japanese korean latvian lithuanian \
     mandarin norwegian persian polish portuguese punjabi romanian russian serbian simplified slovenian spanish swahili swedish traditional turkish ukrainian urdu vietnamese",
    // Departments and roles that answer for a company
    "abteilung atencion atendimento assistenza buchhaltung clientes clienti clients comptabilite contabilidad customers equipe equipo everybody everyone facturacion facturation kundenbetreuung kundendienst klantenservice mitarbeiter \
     rechnungswesen redaktion soporte subscribers suporte supporto ufficio usuario usuarios utilisateur ventas vendite vendas zespol dzial",
    // Fields of work
    "accountant accounting accounts administration advisor affairs allowance application assistance assistant associate authenticity board bookkeeping brand chief claims compliance content corporate counsel deputy developer development director \
     engineer executive expense facilities field fraud global head human information inside intern internal inventory investor junior key lead learning maintenance management merchandising operation operations payable payroll people \
     planning principal procurement product project public purchasing quality receivable recruiting regional relation relations reporting representative resources revenue risk safety sales sciences senior specialist staff strategy success \
     talent tax trainee treasury underwriting vice workforce",
    // Places that are not somebody's
    "africa airport america american arabia asia australia austria avenue bay beach belgium berlin boulevard brazil bridge britain brussels california canada castle central china city coast county depot district east eastern europe european \
     field fort france germany german harbor harbour heights hill hills india ireland island islands italy japan kingdom lake land london madrid mexico mount mountain munich national netherlands north northern northwest northeast ocean \
     pacific paris park plaza point poland port portugal prince princess river road rome saint san santa scotland south southern southeast southwest spain square states stockholm street sweden switzerland tokyo tower town terminal \
     united valley village west western world york zurich kaiser konig queen king",
    // Other languages: plans, deliveries, events, products
    "abholung abo angebot anmeldung antrag auftrag ausweis basis bestellung brief einzel eilzustellung gutschein jahr jahres kauf konto kunde kostenlos lieferung mitglied monat monatlich nachnahme neue normal ort paketshop rechnung sendung sonder \
     standardversand tages vertrag zahlung zustellung \
     abonnement annuel avantage bon carte colis colissimo commande compte contrat domicile forfait gratuit illimite livraison mensuel nouveau nouvelle offre paiement panier point produit relais remise retrait retour \
     anual carrito contrato cuenta descuento envio estandar factura gratis ilimitado mensual nueva nuevo oferta pago pedido plan producto recogida tarjeta urgente \
     abbonamento annuale base carta conto contratto corriere fattura gratuito illimitato mensile nuova nuovo offerta ordine pacco pagamento prodotto ritiro sconto spedizione \
     assinatura boleto carrinho cartao conta desconto encomenda entrega fatura gratuito ilimitado mensal novo oferta pagamento pedido produto \
     abonnement bestelling betaling factuur gratis jaar klant maand nieuwe ophalen pakket proef rekening verzending zakelijk zending \
     abonament darmowy dostawa faktura koszyk kurier nowy odbior paczka paczkomat platnosc produkt przesylka rabat roczny umowa zamowienie \
     abonnemang bestallning betalning faktura hemleverans kund manad ny paket rabatt tjanst aylik abonelik fatura hesap indirim kampanya musteri odeme paketi siparis teslimat ucretsiz yeni yillik",
    // Small words that no name begins with, and words of days
    "a after all and any are as at back before but by for from get here how if in into is it its load more not of off ok or other our out over please see show some that the their there these this to under up us was we what when where \
     which who why with without yes you your monday tuesday wednesday thursday friday saturday sunday january february october november december morning evening today tomorrow spring autumn winter black cyber happy birthday christmas halloween",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_persons_from_things() {
        for text in [
            "Ada Lovelace",
            "José García López",
            "Lovelace, Ada",
            "ADA LOVELACE",
            "Jean-Luc Moreau",
            "Paul Price",
            "Ada King Lovelace",
            "Franz Kafka",
        ] {
            assert_eq!(looks(text), Looks::Person, "{text}");
        }
        for text in ["Xu Qoriel", "Zdenka Brzobohatá-Qu", "山田 太郎", "lovelace", "A. Lovelace"] {
            assert!(may_be_person(text), "{text}");
        }
        for text in [
            "Nordlicht Maschinenbau GmbH & Co. KG",
            "Priority Mail",
            "Order Completed",
            "Acme Ltd",
            "Puerto Azul S.L.",
            "Premium Plus",
            "Trail Runner 3",
            "Polmex Sp. z o.o.",
            "web_server",
            "Human Resources",
            "Volksbank Hohenlohe",
            "San Diego",
            "Oak Table",
            "geo-lookup",
            "Paul Transport",
            "Florence Wall Clock",
            "Penny Loafer Brown",
            "Plaid Checking",
            "ООО Ромашка",
            "株式会社日立製作所",
            "Mrs",
            "Nom de famille",
            "Vacation Hours",
            "Crystal Shield",
            "Terraform Cloud",
            "Apache Kafka",
            "Document Authenticity",
            "Brazilian Portuguese",
            "Equipo de Soporte",
            "none",
        ] {
            assert_eq!(looks(text), Looks::Thing, "{text}");
        }
    }

    #[test]
    fn only_a_legal_form_is_a_company_for_certain() {
        assert!(!is_no_company("N/A") && !is_no_company("unknown") && !is_no_company("-") && is_no_company("Na"));
        assert!(!is_no_company("Hartwell & Sons Ltd") && !is_no_company("Cascina Verde S.r.l."));
        assert!(
            !is_no_company("Estée Lauder") && !is_no_company("Harley-Davidson") && is_no_company("Estée Quittenbaum")
        );
        assert!(is_no_company("Ada Bank") && is_no_company("A. B. Lovelace") && is_no_company("Limited"));
    }

    #[test]
    fn one_word_is_no_known_person() {
        assert!(is_known_person("Ada Lovelace") && !is_known_person("Ada") && !is_known_person("Gold Plan"));
        assert!(!is_known_person("Tommy Hilfiger") && may_be_person("Tommy Hilfiger") && is_known_person("Paul Smith"));
        assert!(begins_as_person("Ada Q Lovelace") && !begins_as_person("Lovelace Ada"));
    }
}
