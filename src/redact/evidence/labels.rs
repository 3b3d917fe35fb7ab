//! Words that say what a number right behind them is, when it is nobody's: a word for telephones or papers further
//! before it is then about something else (`call us, ticket 123456789`).

use crate::redact::evidence::epoch;
use crate::redact::evidence::words::Words;
use std::ops::Range;

/// How far before a candidate its label may begin, bytes.
const LABEL_BYTES_MAX: usize = 24;
/// The same of a name before a sign of equality, bytes.
const NAME_BYTES_MAX: usize = 48;
/// Labels of harmless numbers, folded.
const LABELS: [&str; 106] = [
    "ticket",
    "tickets",
    "case",
    "order",
    "orders",
    "ref",
    "reference",
    "referenz",
    "referencia",
    "riferimento",
    "batch",
    "trace",
    "traceid",
    "ts",
    "time",
    "timestamp",
    "epoch",
    "build",
    "job",
    "jobs",
    "request",
    "requestid",
    "req",
    "attempt",
    "invoice",
    "store",
    "shop",
    "tenant",
    "article",
    "artikel",
    "sku",
    "ean",
    "isbn",
    "gtin",
    "seq",
    "sequence",
    "row",
    "rows",
    "event",
    "shard",
    "offset",
    "arn",
    "awb",
    "parcel",
    "tracking",
    "shipment",
    "version",
    "revision",
    "rev",
    "commit",
    "ids",
    "entity",
    "object",
    "record",
    "message",
    "msg",
    "process",
    "pid",
    "thread",
    "transaction",
    "txn",
    "tx",
    "charge",
    "refund",
    "vorgang",
    "auftrag",
    "bestellung",
    "rechnung",
    "sendung",
    "aktenzeichen",
    "kundennummer",
    "commande",
    "facture",
    "colis",
    "dossier",
    "pedido",
    "factura",
    "envio",
    "caso",
    "ordine",
    "fattura",
    "pratica",
    "bestelling",
    "factuur",
    "zending",
    "zamowienie",
    "faktura",
    "paczka",
    "zgloszenie",
    "arende",
    "siparis",
    "fatura",
    "talep",
    "booking",
    "reservation",
    "buchung",
    "reserva",
    "quote",
    "contract",
    "vertrag",
    "policy",
    "claim",
    "schaden",
    "sinistre",
    "siniestro",
    "merchant",
];

/// The name that a text gives a candidate: `appVersion=1.2.3.4`, `"order_id": 123`.
pub(in crate::redact) fn name_before(text: &str, range: &Range<usize>) -> Option<Words> {
    let start = text.floor_char_boundary(range.start.saturating_sub(NAME_BYTES_MAX));
    let before = text.get(start..range.start)?.trim_end_matches(['"', '\'', ' ']);
    let before = before.strip_suffix(['=', ':'])?.trim_end_matches(['"', '\'', ' ']);
    let is_inner = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let name = before.rsplit(|c: char| !is_inner(c)).next().filter(|name| !name.is_empty())?;
    Some(Words::of(name))
}

/// The word right before a candidate, folded.
fn word_before(text: &str, range: &Range<usize>) -> String {
    let start = text.floor_char_boundary(range.start.saturating_sub(LABEL_BYTES_MAX));
    let before = text.get(start..range.start).unwrap_or_default();
    let before = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    Words::of(before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()).joined().to_owned()
}

/// Whether the word right before a candidate says that it is something harmless.
pub(in crate::redact) fn are_before(text: &str, range: &Range<usize>) -> bool {
    LABELS.contains(&word_before(text, range).as_str())
}

/// Whether a number in a text is an instant: by itself, or by the word before it or the name it stands under.
pub(in crate::redact) fn is_instant(text: &str, range: &Range<usize>, name: Option<&str>) -> bool {
    let Some(raw) = text.get(range.clone()).filter(|raw| raw.len() >= 10 && raw.bytes().all(|b| b.is_ascii_digit()))
    else {
        return false;
    };
    epoch::is_instant(raw, name.unwrap_or_default()) || epoch::is_instant(raw, &word_before(text, range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_right_before_decides() {
        let over = |text: &str| {
            let at = text.find(|c: char| c.is_ascii_digit()).unwrap();
            are_before(text, &(at..text.len()))
        };
        assert!(over("call us, ticket 123456789") && over("Vorgang: #123456789") && over("trace_id ids=123456789"));
        assert!(!over("ticket phone 123456789") && !over("123456789") && !over("order, call 123456789"));
    }

    #[test]
    fn a_text_names_its_values() {
        let name = |text: &str| name_before(text, &(text.len() - 1..text.len())).map(|words| words.joined().to_owned());
        assert_eq!(name("x appVersion=1").as_deref(), Some("appversion"));
        assert_eq!(name("{\"order_id\": \"1").as_deref(), Some("orderid"));
        assert_eq!(name("call 1"), None);
    }

    #[test]
    fn instants_in_texts() {
        let text = "sms sent ts=1700000000 at 1700000000123";
        let of = |part: &str| {
            let at = text.find(part).unwrap();
            is_instant(text, &(at..at + part.len()), None)
        };
        assert!(of("1700000000 ") || is_instant(text, &(12..22), None));
        assert!(of("1700000000123"));
        assert!(!is_instant("pay 1700000000", &(4..14), None));
    }
}
