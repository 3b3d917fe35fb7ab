//! Attributes of medical images that are about persons: JSON names them by a tag of eight digits (DICOM PS3.18, annex F),
//! and what a tag means, the dictionary says (PS3.6).

/// Tags, and the names that rules list.
const TAGS: [(&str, &str); 25] = [
    ("00080090", "physician-name"),
    ("00080092", "address"),
    ("00080094", "phone"),
    ("00081048", "physician-name"),
    ("00081050", "physician-name"),
    ("00081060", "physician-name"),
    ("00081070", "person-name"),
    ("0008009C", "physician-name"),
    ("00100010", "patient-name"),
    ("00100020", "mrn"),
    ("00100030", "birth-date"),
    ("00101000", "mrn"),
    ("00101001", "patient-name"),
    ("00101005", "birth-name"),
    ("00101040", "address"),
    ("00101060", "maiden-name"),
    ("00101090", "mrn"),
    ("00102154", "phone"),
    ("00102297", "person-name"),
    ("00321032", "physician-name"),
    ("00380400", "address"),
    ("00404037", "person-name"),
    ("0040A075", "person-name"),
    ("0040A123", "person-name"),
    ("00700084", "person-name"),
];
/// Digits of a tag.
const TAG_BYTES: usize = 8;

/// What a name means: itself, if it is no tag.
pub(in crate::redact) fn meaning(name: &str) -> &str {
    if name.len() != TAG_BYTES || !name.starts_with('0') {
        return name;
    }
    TAGS.iter().find(|(tag, _)| *tag == name).map_or(name, |(_, meaning)| meaning)
}
