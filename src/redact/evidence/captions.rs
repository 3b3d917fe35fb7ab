//! Captions of fields: what a form shows in place of a value (`{"firstName": "Vorname"}`) is nobody's name.

use crate::redact::evidence::Listed;
use crate::redact::evidence::words::Words;
use std::sync::LazyLock;

/// Longer texts are no captions, bytes.
const CAPTION_BYTES_MAX: usize = 40;

/// Whether a whole text is the caption of a field for a name, an address or a password.
pub(in crate::redact) fn is_caption(text: &str) -> bool {
    text.len() <= CAPTION_BYTES_MAX && (CAPTIONS.contains(Words::of(text).joined()) || is_prompt(text))
}

/// Whether a text asks to fill a field in: `Bitte Vornamen eingeben`, `Please enter your name`.
fn is_prompt(text: &str) -> bool {
    let mut words = text.split_whitespace();
    // Bitte Andersen is somebody.
    words.next().is_some_and(|first| PROMPTS.iter().any(|one| first.eq_ignore_ascii_case(one)))
        && words.next_back().is_some_and(|last| last.starts_with(char::is_lowercase))
}

/// First words of such texts.
const PROMPTS: [&str; 16] = [
    "please",
    "bitte",
    "enter",
    "type",
    "choose",
    "veuillez",
    "saisissez",
    "entrez",
    "ingrese",
    "introduzca",
    "inserisci",
    "digite",
    "insira",
    "wpisz",
    "voer",
    "vul",
];

/// Whether a whole text says that there is no value: what stands in an empty field is nobody's name.
pub(in crate::redact) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_punctuation() || c.is_whitespace())
        || text.starts_with("*|") && text.ends_with("|*")
        || text.len() <= CAPTION_BYTES_MAX && BLANKS.contains(text.to_ascii_lowercase().as_str())
}

/// Whether a whole text is no advice on how to fill a field in, nor a line that counts what was found: a form's texts
/// stand under the names of its fields (`{"password": "must have 12 characters"}`).
pub(in crate::redact) fn is_no_advice(text: &str) -> bool {
    let words = || text.split_whitespace().map(|word| word.trim_end_matches([',', '.', '!', ':']));
    let is_one_of = |list: &[&str]| words().any(|word| list.iter().any(|one| word.eq_ignore_ascii_case(one)));
    let is_advice = || is_one_of(&ADVICE) && is_one_of(&ADVISED) || text.contains("{{") || text.contains("{0}");
    let is_long = words().nth(ADVICE_WORDS_MIN - 1).is_some();
    let is_tally = || text.trim_end_matches('.').ends_with("found") && is_one_of(&TALLIED);
    !(is_long && is_advice() || is_tally() || is_caption_of_field(text))
}

/// Whether a whole text says what is wrong with a value, which may be in it: `The passport number X1 is expired.`
pub(in crate::redact) fn is_verdict(text: &str) -> bool {
    if !(VERDICT_BYTES_MIN..=VERDICT_BYTES_MAX).contains(&text.len()) || !text.contains(' ') {
        return false;
    }
    let words = || text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let is_small = |word: &&str| !word.is_empty() && word.chars().all(char::is_lowercase);
    words().filter(is_small).take(VERDICT_SMALL_WORDS_MIN).count() == VERDICT_SMALL_WORDS_MIN
        && words().any(|word| VERDICTS.contains(&word))
}

/// Shorter texts may be values, and longer ones are letters; bytes.
const VERDICT_BYTES_MIN: usize = 16;
const VERDICT_BYTES_MAX: usize = 400;
/// Words of small letters in it, at least.
const VERDICT_SMALL_WORDS_MIN: usize = 2;
const VERDICTS: [&str; 44] = [
    "invalid",
    "valid",
    "must",
    "required",
    "expired",
    "already",
    "taken",
    "match",
    "matches",
    "format",
    "exist",
    "exists",
    "wrong",
    "incorrect",
    "allowed",
    "missing",
    "unknown",
    "failed",
    "converted",
    "parsed",
    "could",
    "cannot",
    "ungültig",
    "ungültige",
    "bereits",
    "muss",
    "falsch",
    "fehlt",
    "invalide",
    "obligatoire",
    "doit",
    "existe",
    "inválido",
    "inválida",
    "debe",
    "deve",
    "valido",
    "valida",
    "ongeldig",
    "ongeldige",
    "moet",
    "nieprawidłowy",
    "nieprawidłowa",
    "geçersiz",
];

/// Whether a whole text is the caption of a field for an address or a password. Somebody's password may be a word: of those
/// without a blank only what begins as a caption does is one.
fn is_caption_of_field(text: &str) -> bool {
    let text = text.trim();
    text.len() <= FIELD_BYTES_MAX
        && !text.bytes().any(|b| b.is_ascii_digit())
        && (text.contains(' ') || !text.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit()))
        && FIELD_CAPTIONS.contains(text.trim_end_matches(['?', ':', '*', ' ', '\u{a0}']).to_lowercase().as_str())
}

/// Longer texts are none, bytes.
const FIELD_BYTES_MAX: usize = 64;

/// Fewer words are a password that somebody chose, or a street.
const ADVICE_WORDS_MIN: usize = 4;
const ADVICE: [&str; 12] = [
    "must",
    "should",
    "cannot",
    "required",
    "incorrect",
    "invalid",
    "too",
    "muss",
    "mindestens",
    "doit",
    "debe",
    "deve",
];
/// What it is about; without one of these words it may be a sentence that somebody chose for a password.
const ADVISED: [&str; 12] = [
    "password",
    "passphrase",
    "passwort",
    "kennwort",
    "pin",
    "characters",
    "letters",
    "digits",
    "zeichen",
    "caractères",
    "caracteres",
    "contraseña",
];
const TALLIED: [&str; 5] = ["addresses", "results", "matches", "suggestions", "places"];

static FIELD_CAPTIONS: LazyLock<Listed<&str>> =
    LazyLock::new(|| FIELD_CAPTION_LISTS.iter().flat_map(|list| list.split(", ")).collect());

/// What a form shows where an address, a part of one or a password is to be written, in lower case.
const FIELD_CAPTION_LISTS: [&str; 4] = [
    "street and house number, street and number, street name and number, house number and street, street address, your address, full address, \
    billing address, shipping address, delivery address, home address, postal address, straße und hausnummer, straße und nr., vollständige anschrift, rue et numéro, adresse complète, \
    calle y número, dirección completa, via e numero civico, indirizzo completo, rua e número, endereço completo, straat en huisnummer, ulica i numer domu, gatuadress",
    "lieferadresse, rechnungsadresse, anschrift, adresse, straße, adresse de livraison, adresse de facturation, votre adresse, code postal, dirección, dirección de envío, dirección de facturación, \
    código postal, indirizzo, indirizzo di consegna, indirizzo di spedizione, indirizzo di fatturazione, endereço, endereço de entrega, morada, morada de entrega, morada de faturação, código-postal, \
    afleveradres, bezorgadres, factuuradres, huisnummer en toevoeging, adres dostawy, adres wysyłki, adres do faktury, kod pocztowy, leveransadress, faktureringsadress, leveringsadresse, toimitusosoite, \
    teslimat adresi, fatura adresi, posta kodu, адрес доставки, адрес, индекс, почтовый индекс, адреса доставки, διεύθυνση, διεύθυνση αποστολής, 住所, お届け先, 郵便番号, 地址, 收货地址, 邮政编码, 주소, 배송지, 우편번호, \
    عنوان التسليم, العنوان, الرمز البريدي, כתובת, כתובת למשלוח, מיקוד, पता, रास्ता",
    "password, passwort, passwort vergessen, passwort wiederholen, passwort bestätigen, neues passwort, altes passwort, kennwort, kennwort vergessen, kennwort bestätigen, forgot password, forgot your password, \
    forgotten password, confirm password, repeat password, new password, current password, old password, your password, reset password, change password, mot de passe, mot de passe oublié, nouveau mot de passe, \
    confirmer le mot de passe, confirmez le mot de passe, contraseña, contraseña olvidada, ¿olvidaste tu contraseña, ¿has olvidado tu contraseña, nueva contraseña, confirmar contraseña, repetir contraseña, \
    password dimenticata, hai dimenticato la password, conferma password, nuova password, senha, esqueceu a senha, esqueceu sua senha, confirmar senha, nova senha, palavra-passe, wachtwoord, wachtwoord vergeten, \
    bevestig wachtwoord, nieuw wachtwoord, herhaal wachtwoord, pin eingeben, pin bestätigen, neue pin, enter pin, confirm pin, enter your pin",
    "hasło, nie pamiętasz hasła, zapomniałeś hasła, powtórz hasło, nowe hasło, lösenord, glömt lösenord, glömt lösenordet, bekräfta lösenord, passord, glemt passord, adgangskode, glemt adgangskode, salasana, \
    unohditko salasanan, şifre, şifremi unuttum, parola, parolamı unuttum, yeni şifre, heslo, zapomenuté heslo, jelszó, elfelejtett jelszó, пароль, забыли пароль, повторите пароль, новый пароль, забули пароль, \
    κωδικός πρόσβασης, ξεχάσατε τον κωδικό, パスワード, パスワードをお忘れですか, パスワードを忘れた, パスワード再入力, 密码, 忘记密码, 确认密码, 密碼, 忘記密碼, 비밀번호, 비밀번호 찾기, 비밀번호 확인, كلمة المرور, هل نسيت كلمة المرور؟, نسيت كلمة المرور, סיסמה, \
    שכחת סיסמה, शब्दकूट, पासवर्ड, पासवर्ड भूल गए",
];

static BLANKS: LazyLock<Listed<&str>> = LazyLock::new(|| BLANK_LIST.split(", ").collect());

/// Na and Nan are somebody's names and left out.
const BLANK_LIST: &str = "n/a, n.a., none, null, nil, unknown, undefined, unspecified, not available, not applicable, not provided, not specified, not set, \
    no name, unassigned, current, default, anonymous, anonym, tbd, tba, k.a., k. a., keine angabe, keine, unbekannt, inconnu, non renseigné, desconocido, sin nombre, sconosciuto, desconhecido, onbekend, geen, brak, nieznany, okänd, bilinmiyor";

static CAPTIONS: LazyLock<Listed<String>> = LazyLock::new(|| {
    let folded = |text: &str| Words::of(text).joined().to_owned();
    CAPTION_LISTS.iter().flat_map(|list| list.split(", ")).map(folded).collect()
});

/// Captions by language; words that are also somebody's name (Nome, Nam) are left out.
const CAPTION_LISTS: [&str; 6] = [
    "first name, last name, given name, given names, family name, surname, forename, full name, middle name, maiden name, your name, your first name, your last name, nickname, username, user name, display name, name on card, \
     cardholder name, account holder, contact name, company name, legal name, preferred name, birth name, enter your name, name and surname, first and last name, nome próprio, nome do destinatário, 名, 姓, お名前, お届け先",
    "vorname, nachname, familienname, geburtsname, vollständiger name, vor- und nachname, benutzername, karteninhaber, kontoinhaber, ansprechpartner, rufname, prénom, nom de famille, nom complet, nom de naissance, \
     nom d'utilisateur, votre nom, votre prénom, titulaire de la carte, nom et prénom, voornaam, achternaam, volledige naam, gebruikersnaam, tussenvoegsel, kaarthouder",
    "nombre, nombres, apellido, apellidos, primer apellido, segundo apellido, nombre completo, nombre y apellidos, nombre de usuario, titular de la tarjeta, cognome, nome completo, nome e cognome, nome utente, intestatario, \
     sobrenome, primeiro nome, último nome, nome de usuário, nome do titular, apelido, nume de familie, prenume, nume complet",
    "imię, nazwisko, imię i nazwisko, nazwa użytkownika, jméno, příjmení, celé jméno, uživatelské jméno, priezvisko, keresztnév, vezetéknév, teljes név, felhasználónév, prezime, ime i prezime, förnamn, efternamn, fullständigt namn, \
     användarnamn, fornavn, etternavn, efternavn, fullt navn, brukernavn, brugernavn, etunimi, sukunimi, käyttäjätunnus, eesnimi, perekonnanimi, uzvārds, vardas, pavardė",
    "soyad, soyadı, soyadınız, adınız, ad soyad, adı soyadı, kullanıcı adı, имя, фамилия, отчество, фио, полное имя, имя пользователя, ім'я, прізвище, по батькові, презиме, фамилно име, όνομα, επώνυμο, ονοματεπώνυμο, \
     الاسم, الاسم الأول, اسم العائلة, الاسم الكامل, اسم المستخدم, نام, نام خانوادگی, שם פרטי, שם משפחה, שם מלא, שם משתמש, نام کاربری",
    "氏名, お名前, 名前, 苗字, フリガナ, 姓名, 名字, 姓氏, 用户名, 用戶名, 이름, 성명, 사용자명, ชื่อ, นามสกุล, ชื่อผู้ใช้, नाम, उपनाम, पूरा नाम, họ và tên, họ tên, tên đăng nhập, nama lengkap, nama depan, nama belakang, nama pengguna, jina la kwanza, \
     სახელი, გვარი, անուն, ազգանուն",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_and_tallies_are_told_from_values() {
        for text in [
            "Your password must be at least 12 characters",
            "Addresses found",
            "12 results found",
            "Street and house number",
        ] {
            assert!(!is_no_advice(text), "{text}");
        }
        for text in [
            "must have",
            "you must remember this song",
            "correct horse battery staple",
            "Springfield, SW1Y 4JH",
            "1 Found Street",
        ] {
            assert!(is_no_advice(text), "{text}");
        }
    }

    #[test]
    fn captions_are_told_from_names() {
        for text in ["Vorname", "First name", "APELLIDOS", "氏名", "Nom de famille", "Имя", "Bitte Vornamen eingeben"]
        {
            assert!(is_caption(text), "{text}");
        }
        for text in ["Ada", "Nome", "Lovelace", "王小明", "Имран", "Bitte Andersen"] {
            assert!(!is_caption(text), "{text}");
        }
    }
}
