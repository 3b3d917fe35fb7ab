//! Texts in which no pattern finds anything, wherever they stand. An API sends the same words for states, currencies and
//! labels again and again; they are matched once. And what rules say of such a text as a name, where a pair of members
//! may be one: `{"cvc_check": "pass", "zip_check": "pass"}`. And the places of documents, with the texts that rules leave alone
//! there.
//!
//! **What is kept.** Whole values of a few letters and signs, without a digit or an `@`: of which the patterns said no, or
//! which a pair may tell as a name.
//! They stay in the memory of the process, in a table of a fixed size in which a newer text takes the place of the older
//! of two, until the rules change; they are never stored, printed or counted. Texts are compared, not their hashes, so
//! that a redactor with the memory does what one without does.

use crate::redact::evidence::names::Name;
use crate::redact::matching::gate::{AT, COLON, DIGIT, EQUALS, Kinds, PERCENT};
use crate::redact::matching::spots::{Claimants, Spot, Spots};
use foldhash::fast::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

/// Longest text kept, bytes.
const TEXT_BYTES_MAX: usize = 63;
/// Texts in a memory, at most: 64 KiB of them.
const TEXTS_MAX: usize = 1024;
/// Texts that share a place: two that an API sends with every call must not drive each other out for ever.
const WAYS: usize = 2;
/// Names told by pairs in a memory, at most.
const NAMES_MAX: usize = 256;
/// Memories that wait for a pass, at most; there are as many as passes at the same time.
const WAITING_MAX: usize = 64;
/// Kinds of bytes of which a text has none. One with a sign of a URL or a pair is read in other ways too.
const NEVER: Kinds = DIGIT | AT | PERCENT | COLON | EQUALS;

/// Whether a text of these kinds of bytes may be kept.
pub(in crate::redact) fn is_kept(text: &str, kinds: Kinds) -> bool {
    kinds & NEVER == 0 && (1..=TEXT_BYTES_MAX).contains(&text.len())
}

/// A text, its length before it.
type Slot = [u8; TEXT_BYTES_MAX + 1];
/// A text and what rules say of it as a name.
type Told = (Slot, Arc<Name>);

/// A text and the place where rules leave it alone.
type Left = (Option<Spot>, Slot);

/// Texts in which no pattern finds anything, names, and places with what rules leave alone there.
struct Memo {
    slots: Box<[[Slot; WAYS]]>,
    names: Box<[[Option<Told>; WAYS]]>,
    left: Box<[[Left; WAYS]]>,
    spots: Spots,
    hashing: RandomState,
}

impl Memo {
    fn new() -> Self {
        Self {
            slots: vec![[[0; TEXT_BYTES_MAX + 1]; WAYS]; TEXTS_MAX / WAYS].into_boxed_slice(),
            names: vec![[const { None }; WAYS]; NAMES_MAX / WAYS].into_boxed_slice(),
            left: vec![[(None, [0; TEXT_BYTES_MAX + 1]); WAYS]; TEXTS_MAX / WAYS].into_boxed_slice(),
            spots: Spots::new(),
            hashing: RandomState::default(),
        }
    }

    fn at(&self, slot: &Slot) -> usize {
        self.hashing.hash_one(slot) as usize % (TEXTS_MAX / WAYS)
    }

    fn left_at(&self, left: &Left) -> usize {
        self.hashing.hash_one(left) as usize % (TEXTS_MAX / WAYS)
    }

    fn name_at(&self, slot: &Slot) -> usize {
        self.hashing.hash_one(slot) as usize % (NAMES_MAX / WAYS)
    }
}

fn slot(text: &str) -> Option<Slot> {
    // An empty slot holds the empty text.
    if text.is_empty() {
        return None;
    }
    let mut slot = [0; TEXT_BYTES_MAX + 1];
    slot[0] = u8::try_from(text.len()).ok()?;
    slot.get_mut(1..=text.len())?.copy_from_slice(text.as_bytes());
    Some(slot)
}

/// The memories of a redactor: each pass has one for itself.
#[derive(Default)]
pub(in crate::redact) struct Memos(Mutex<Vec<Memo>>);

/// A memory in the hands of a pass, which takes it when it first needs it.
pub(in crate::redact) struct Lent<'m> {
    from: &'m Memos,
    memo: Option<Memo>,
}

impl<'m> Lent<'m> {
    /// A memory out of these.
    pub fn of(from: &'m Memos) -> Self {
        Self { from, memo: None }
    }

    /// Whether it is known that no pattern finds anything in a text.
    pub fn knows(&mut self, text: &str) -> bool {
        let memo = self.memo();
        slot(text).is_some_and(|slot| memo.slots[memo.at(&slot)].contains(&slot))
    }

    /// Keeps a text in which no pattern finds anything.
    pub fn learn(&mut self, text: &str) {
        let memo = self.memo();
        if let Some(slot) = slot(text) {
            let at = memo.at(&slot);
            memo.slots[at].rotate_right(1);
            memo.slots[at][0] = slot;
        }
    }

    /// Whether it is known that rules leave a text alone at a place.
    pub fn leaves(&mut self, spot: Spot, text: &str) -> bool {
        let memo = self.memo();
        let Some(left) = slot(text).map(|slot| (Some(spot), slot)) else { return false };
        memo.left[memo.left_at(&left)].contains(&left)
    }

    /// Keeps a text that rules leave alone at a place.
    pub fn learn_left(&mut self, spot: Spot, text: &str) {
        let memo = self.memo();
        if let Some(left) = slot(text).map(|slot| (Some(spot), slot)) {
            let at = memo.left_at(&left);
            memo.left[at].rotate_right(1);
            memo.left[at][0] = left;
        }
    }

    /// The place below another one; where it is not known yet, `claimants` tells which rules may claim a value there.
    pub fn below(&mut self, spot: Spot, name: u64, claimants: impl FnOnce() -> Claimants) -> Option<Spot> {
        let spots = &mut self.memo().spots;
        spots.below(spot, name).or_else(|| spots.learn(spot, name, claimants()))
    }

    /// The rule to be asked at a place after so many others, those of any name only if they `may` claim.
    pub fn claimant(&self, spot: Spot, at: usize, may: bool) -> Option<u16> {
        self.memo.as_ref()?.spots.claimants(spot)?.get(may).get(at).copied()
    }

    /// What rules say of a text as a name.
    pub fn name(&mut self, text: &str) -> Option<Arc<Name>> {
        let memo = self.memo();
        let own = slot(text)?;
        let told = memo.names[memo.name_at(&own)].iter().flatten().find(|(kept, _)| *kept == own);
        told.map(|(_, name)| name.clone())
    }

    /// Keeps what rules say of a text as a name.
    pub fn learn_name(&mut self, text: &str, name: &Arc<Name>) {
        let memo = self.memo();
        if let Some(slot) = slot(text) {
            let at = memo.name_at(&slot);
            memo.names[at].rotate_right(1);
            memo.names[at][0] = Some((slot, name.clone()));
        }
    }

    fn memo(&mut self) -> &mut Memo {
        let waiting = || self.from.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        self.memo.get_or_insert_with(|| waiting().unwrap_or_else(Memo::new))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(memo) = self.memo.take() {
            let mut waiting = self.from.0.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() < WAITING_MAX {
                waiting.push(memo);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::matching::gate::kinds_of;

    fn kept(text: &str) -> bool {
        is_kept(text, kinds_of(text.as_bytes()))
    }

    #[test]
    fn no_digit_no_mail_and_no_long_text_is_kept() {
        assert!(kept("succeeded") && kept("Payment complete.") && kept("Zażółć"));
        assert!(!kept("4242") && !kept("ada@b") && !kept("a: b") && !kept("a=b") && !kept(&"a".repeat(64)));
    }

    #[test]
    fn what_one_pass_learned_the_next_one_knows() {
        let memos = Memos::default();
        let mut first = Lent::of(&memos);
        assert!(!first.knows("eur") && !first.knows(""));
        first.learn("eur");
        first.learn(&"a".repeat(64));
        assert!(first.knows("eur") && !first.knows("eu") && !first.knows("eur\0"));
        let mut beside = Lent::of(&memos);
        assert!(!beside.knows("eur"));
        drop(first);
        assert!(Lent::of(&memos).knows("eur"));
        beside.learn("usd");
        drop(beside);
        assert_eq!(memos.0.lock().unwrap().len(), 2);
    }

    #[test]
    fn names_are_kept_beside_texts() {
        let memos = Memos::default();
        let mut lent = Lent::of(&memos);
        let name = Arc::new(Name::default());
        assert!(lent.name("pass").is_none());
        lent.learn_name("pass", &name);
        assert!(lent.name("pass").is_some_and(|kept| Arc::ptr_eq(&kept, &name)));
        assert!(lent.name("fail").is_none() && !lent.knows("pass"));
    }

    #[test]
    fn what_is_left_alone_at_one_place_may_be_claimed_at_another() {
        let memos = Memos::default();
        let mut lent = Lent::of(&memos);
        let rules = || Claimants::of(vec![3], [9]);
        let name = lent.below(Spot::TOP, 1, rules).unwrap();
        assert_eq!(lent.below(Spot::TOP, 1, || unreachable!()), Some(name));
        lent.learn_left(Spot::TOP, "May");
        assert!(lent.leaves(Spot::TOP, "May") && !lent.leaves(name, "May") && !lent.leaves(Spot::TOP, "may"));
        assert_eq!([0, 1].map(|at| lent.claimant(name, at, false)), [Some(3), None]);
        assert_eq!([0, 1, 2].map(|at| lent.claimant(name, at, true)), [Some(3), Some(9), None]);
    }

    #[test]
    fn two_texts_of_one_place_both_stay() {
        let memos = Memos::default();
        let mut lent = Lent::of(&memos);
        let memo = lent.memo();
        let place = |n: usize| memo.at(&slot(&format!("text {n}")).unwrap());
        let other = (1..).find(|n| place(*n) == place(0)).unwrap();
        for _ in 0..2 {
            lent.learn("text 0");
            lent.learn(&format!("text {other}"));
        }
        assert!(lent.knows("text 0") && lent.knows(&format!("text {other}")));
    }

    #[test]
    fn it_never_grows() {
        let memos = Memos::default();
        let mut lent = Lent::of(&memos);
        for n in 0..10_000 {
            lent.learn(&format!("{n}"));
        }
        assert_eq!(lent.memo().slots.as_flattened().len(), TEXTS_MAX);
        assert!(lent.knows("9999"));
    }
}
