//! Field names as their words, compared without regard to camel, snake or kebab case, accents, plural, a number at the end,
//! or a last word that only says what values are made of.

/// Characters of a name that are looked at.
const NAME_CHARS_MAX: usize = 256;

/// A name as its words, in lower case and without accents: `customerFirstName`, `customer_first_name` and
/// `Customer-First-Name` are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::redact) struct Words {
    pub joined: String,
    /// Where each word starts in `joined`.
    pub starts: Vec<usize>,
}

impl Words {
    /// The words of a name.
    pub fn of(name: &str) -> Self {
        let mut words = Self::default();
        let mut fresh = true;
        let mut before = ' ';
        let mut chars = name.chars().take(NAME_CHARS_MAX).peekable();
        while let Some(c) = chars.next() {
            if !c.is_alphanumeric() {
                fresh = true;
            } else {
                let hump = c.is_uppercase()
                    && (before.is_lowercase()
                        || before.is_numeric()
                        || (before.is_uppercase() && chars.peek().is_some_and(|n| n.is_lowercase())));
                if fresh || hump {
                    words.starts.push(words.joined.len());
                }
                fresh = false;
                fold(c, &mut words.joined);
            }
            before = c;
        }
        words
    }

    /// The whole name, its words joined.
    pub fn joined(&self) -> &str {
        &self.joined
    }

    /// The name without a last word that only says what its values are made of.
    fn without_type(&self) -> Option<String> {
        let last = self.starts.last().copied().filter(|last| *last > 0)?;
        let (name, type_) = self.joined.split_at(last);
        // What an account is worth is no number of it.
        let is_worth = type_ == "value" && WORTH.iter().any(|what| name.ends_with(what));
        (TYPES.contains(&type_) && !is_worth).then(|| name.to_owned())
    }

    /// The name without whose it is, where its words are run together: `memberdob`.
    fn without_owner(&self) -> Option<&str> {
        let rest = |owner: &&str| self.joined.strip_prefix(owner).filter(|rest| rest.len() >= OWNED_BYTES_MIN);
        OWNERS.iter().filter(|_| self.starts.len() == 1).find_map(rest)
    }

    /// The spellings under which the name is looked up: as it is, without a number at its end, in the singular, and without
    /// a word for what it is made of.
    pub fn forms(&self) -> impl Iterator<Item = String> {
        let bare = self.joined.trim_end_matches(|c: char| c.is_ascii_digit());
        let bare = if bare.is_empty() { self.joined.as_str() } else { bare };
        let singular = match bare.strip_suffix("ies") {
            Some(stem) => Some(format!("{stem}y")),
            None => bare.strip_suffix('s').filter(|stem| stem.len() > 2).map(str::to_owned),
        };
        let without_es = bare.strip_suffix("es").filter(|stem| stem.len() > 3).map(str::to_owned);
        let numbered = (bare.len() < self.joined.len()).then(|| self.joined.clone());
        let forms = numbered.into_iter().chain([bare.to_owned()]).chain(singular).chain(without_es);
        forms.chain(self.without_type()).chain(self.without_owner().map(str::to_owned))
    }
}

/// Last words that say of a field what its values are made of, and nothing of what they are: `CITY_TX`.
const TYPES: [&str; 8] = ["tx", "txt", "val", "vl", "str", "fld", "raw", "value"];
/// Names of what has a value itself.
const WORTH: [&str; 12] = [
    "account",
    "card",
    "policy",
    "contract",
    "loan",
    "order",
    "tax",
    "insurance",
    "house",
    "vehicle",
    "property",
    "bond",
];
/// Whose a field is, and the shortest name of one, bytes.
const OWNERS: [&str; 24] = [
    "customer",
    "cust",
    "member",
    "payee",
    "payer",
    "patient",
    "subscriber",
    "employee",
    "emp",
    "vehicle",
    "car",
    "handset",
    "user",
    "usr",
    "acct",
    "clnt",
    "client",
    "kyc",
    "pax",
    "guest",
    "holder",
    "driver",
    "card",
    "applicant",
];
const OWNED_BYTES_MIN: usize = 3;

/// A letter in lower case and without its accent.
fn fold(c: char, out: &mut String) {
    for c in c.to_lowercase() {
        match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => out.push('a'),
            'ç' | 'ć' | 'č' => out.push('c'),
            'ď' | 'đ' | 'ð' => out.push('d'),
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => out.push('e'),
            'ğ' | 'ģ' => out.push('g'),
            'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' | 'į' => out.push('i'),
            'ķ' => out.push('k'),
            'ł' | 'ľ' | 'ļ' => out.push('l'),
            'ñ' | 'ń' | 'ň' | 'ņ' => out.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => out.push('o'),
            'ř' => out.push('r'),
            'ś' | 'š' | 'ş' | 'ș' => out.push('s'),
            'ť' | 'ţ' | 'ț' => out.push('t'),
            'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' | 'ų' => out.push('u'),
            'ý' | 'ÿ' => out.push('y'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            // Greek, whose capitals are written without.
            'ά' => out.push('α'),
            'έ' => out.push('ε'),
            'ή' => out.push('η'),
            'ί' | 'ϊ' | 'ΐ' => out.push('ι'),
            'ό' => out.push('ο'),
            'ύ' | 'ϋ' | 'ΰ' => out.push('υ'),
            'ώ' => out.push('ω'),
            // A combining mark, as a decomposed accent or the dot that lower-casing adds.
            '\u{300}'..='\u{36f}' => {}
            c => out.push(c),
        }
    }
}
