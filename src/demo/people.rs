//! The people of the demo: made up, but shaped as real ones, so that redaction has something to find.

use crate::demo::chance::Chance;

const FIRST: [&str; 12] = [
    "Annelise",
    "Bartholomew",
    "Clementine",
    "Desmond",
    "Evangeline",
    "Ferdinand",
    "Guinevere",
    "Humphrey",
    "Isadora",
    "Jeremias",
    "Katharina",
    "Leopold",
];
const LAST: [&str; 12] = [
    "Abernathy",
    "Brandenburg",
    "Cholmondeley",
    "Drinkwater",
    "Eisenhauer",
    "Fitzwilliam",
    "Gildersleeve",
    "Hohenberg",
    "Ingersoll",
    "Jankowiak",
    "Kirkpatrick",
    "Lindqvist",
];
const STREETS: [&str; 6] =
    ["Kastanienallee", "Marlborough Row", "Rue Lepic", "Via Garibaldi", "Elm Court", "Prinsengracht"];

/// One made-up person with everything a provider knows about them.
#[derive(Clone, Debug)]
pub struct Person {
    /// The customer number, 8 digits.
    pub id: String,
    /// First and last name.
    pub name: String,
    /// E-mail address, of a domain that cannot exist.
    pub email: String,
    /// Card number, 16 digits that pass the Luhn check.
    pub card: String,
    /// Phone number, international form.
    pub phone: String,
    /// IBAN whose check digits are right.
    pub iban: String,
    /// Street and number.
    pub street: String,
    /// An access token as a provider hands it out.
    pub token: String,
}

/// Everyone in the demo.
#[derive(Clone, Debug)]
pub struct People {
    list: Vec<Person>,
    api_key: String,
}

impl People {
    /// How many there are.
    pub const COUNT: usize = 144;

    /// The people of a seed.
    pub fn new(seed: u64) -> Self {
        let list = (0..Self::COUNT).map(|index| person(seed, index)).collect();
        let api_key = format!("sk_live_{}", letters(&mut Chance::new(seed, u64::MAX), 32));
        Self { list, api_key }
    }

    /// Everyone.
    pub fn all(&self) -> &[Person] {
        &self.list
    }

    /// The person of a customer number.
    pub fn by_id(&self, id: &str) -> Option<&Person> {
        self.list.iter().find(|person| person.id == id)
    }

    /// The application's credential at the current provider (sent as `Authorization: Bearer`).
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Every value that must appear nowhere once recorded: not in the database, the fixtures or the logs. Customer
    /// numbers, names and streets are not among them where they stand for themselves; see [`People::planted_in_fields`].
    pub fn planted(&self) -> Vec<String> {
        let of = |p: &Person| {
            [p.email.clone(), p.card.clone(), spaced(&p.card), p.phone.clone(), p.iban.clone(), p.token.clone()]
        };
        let mut planted: Vec<String> = self.list.iter().flat_map(of).collect();
        planted.push(self.api_key.clone());
        planted
    }

    /// Names and streets: only the field's name tells that they are personal, so a rule about fields finds them.
    pub fn planted_in_fields(&self) -> Vec<String> {
        self.list.iter().flat_map(|person| [person.name.clone(), person.street.clone()]).collect()
    }
}

fn person(seed: u64, index: usize) -> Person {
    let mut chance = Chance::new(seed, index as u64);
    // Every first name meets every last name once, so that names tell people apart.
    let (first, last) = (FIRST[index % FIRST.len()], LAST[(index / FIRST.len() + index) % LAST.len()]);
    let email = format!("{}.{}.{}@mail.example", first.to_lowercase(), last.to_lowercase(), chance.digits(3));
    let street = format!("{} {}", chance.one_of(&STREETS), 100 + index);
    Person {
        id: format!("{}{index:04}", 1000 + chance.below(9000)),
        name: format!("{first} {last}"),
        email,
        card: with_luhn_digit(&format!("4{}", chance.digits(14))),
        phone: format!("+49 30 {}", chance.digits(8)),
        iban: iban_de(&chance.digits(18)),
        street,
        token: format!("tok_{}", letters(&mut chance, 28)),
    }
}

fn letters(chance: &mut Chance, count: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789";
    (0..count).map(|_| char::from(*chance.one_of(ALPHABET))).collect()
}

/// `4111111111111111` → `4111 1111 1111 1111`, as people type it.
pub fn spaced(card: &str) -> String {
    let groups: Vec<String> =
        card.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect();
    groups.join(" ")
}

fn with_luhn_digit(digits: &str) -> String {
    let check = (0..10).find(|check| luhn_holds(&format!("{digits}{check}"))).unwrap_or(0);
    format!("{digits}{check}")
}

fn luhn_holds(digits: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let values = digits.chars().rev().filter_map(|c| c.to_digit(10)).enumerate();
    let sum: u32 = values.map(|(place, digit)| if place % 2 == 1 { doubled(digit) } else { digit }).sum();
    sum.is_multiple_of(10)
}

/// ISO 7064 mod 97-10 over the account and the country's letters (`D` = 13, `E` = 14) and `00`.
fn iban_de(account: &str) -> String {
    let check = 98 - remainder_97(&format!("{account}131400"));
    format!("DE{check:02}{account}")
}

fn remainder_97(digits: &str) -> u32 {
    digits.chars().filter_map(|c| c.to_digit(10)).fold(0, |rest, digit| (rest * 10 + digit) % 97)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn cards_and_accounts_check_out() {
        assert!(luhn_holds("4111111111111111") && !luhn_holds("4111111111111112"));
        for person in People::new(3).all() {
            assert!(person.card.len() == 16 && luhn_holds(&person.card), "{}", person.card);
            let moved = format!("{}1314{}", &person.iban[4..], &person.iban[2..4]);
            assert_eq!((person.iban.len(), remainder_97(&moved)), (22, 1), "{}", person.iban);
        }
        assert_eq!(iban_de("370400440532013000"), "DE89370400440532013000");
    }

    #[test]
    fn nobody_shares_a_planted_value_and_a_seed_repeats() {
        let people = People::new(9);
        let mut planted = people.planted();
        planted.extend(people.planted_in_fields());
        assert_eq!(planted.iter().collect::<HashSet<_>>().len(), planted.len());
        assert_eq!(planted.len(), People::COUNT * 8 + 1);
        assert_eq!(people.planted(), People::new(9).planted());
        let someone = &people.all()[5];
        assert_eq!(people.by_id(&someone.id).map(|person| &person.email), Some(&someone.email));
        assert_eq!(spaced("4111111111111111"), "4111 1111 1111 1111");
    }
}
