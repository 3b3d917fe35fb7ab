//! Sessions of browsers, and the one-time links that begin one. In memory only: a restart ends them all.
//!
//! A session's id is always made here, so that nobody can plant one (session fixation), and only its digest is kept.

use crate::console::access::token::{Digest, digest, random_text};
use crate::console::access::{Known, Role, TokenError, Tokens};
use crate::exchange::Instant;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Unused for so long, a session ends: two hours.
const IDLE: Duration = Duration::from_secs(2 * 3_600);
/// A session ends after so long however it is used: a working day.
pub(crate) const LIFE_S: u64 = 12 * 3_600;
/// Sessions at once; the one unused longest makes room.
const SESSIONS_MAX: usize = 256;
/// Sessions of one token or link's name, so that nobody crowds out the others.
const SESSIONS_OF_ONE_MAX: usize = 16;
/// A link is good for so long: five minutes.
pub(crate) const LINK_LIFE_S: u64 = 300;
/// Links that wait to be followed; the oldest makes room.
const LINKS_MAX: usize = 32;

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A token's: it ends with the token.
    Token(Digest),
    /// A link's, with the token that made it, if one did: it ends with that token.
    Link { name: Arc<str>, role: Role, maker: Option<Digest> },
}

impl Subject {
    /// Who that is now; `None` when the token is no longer good.
    fn known(&self, tokens: &Tokens, now_unix_us: i64) -> Option<Known> {
        let token = |digest| tokens.find_digest(digest, now_unix_us).ok();
        match self {
            Self::Token(digest) => {
                token(digest).map(|one| Known::Named { name: Arc::from(one.name.as_str()), role: one.role })
            }
            Self::Link { name, role, maker } => {
                let good = maker.as_ref().is_none_or(|digest| token(digest).is_some());
                good.then(|| Known::Named { name: Arc::clone(name), role: *role })
            }
        }
    }
}

struct Session {
    subject: Subject,
    csrf: Arc<str>,
    began: Instant,
    used: Instant,
}

impl Session {
    fn over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) >= IDLE
            || now.saturating_duration_since(self.began) >= Duration::from_secs(LIFE_S)
    }
}

struct Link {
    digest: Digest,
    subject: Subject,
    made: Instant,
}

#[derive(Default)]
struct Held {
    sessions: HashMap<Digest, Session>,
    links: Vec<Link>,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Held>);

impl Sessions {
    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one and gives its id, which goes into the cookie and is kept nowhere.
    pub(crate) fn begin(&self, subject: Subject, now: Instant) -> Result<String, TokenError> {
        let (id, csrf) = (random_text()?, random_text()?);
        let sessions = &mut self.held().sessions;
        sessions.retain(|_, one| !one.over(now));
        let of_one = sessions.values().filter(|one| one.subject == subject).count();
        let crowded = of_one >= SESSIONS_OF_ONE_MAX;
        if crowded || sessions.len() >= SESSIONS_MAX {
            let room = sessions.iter().filter(|(_, one)| !crowded || one.subject == subject);
            if let Some(idlest) = room.min_by_key(|(_, one)| one.used).map(|(digest, _)| *digest) {
                sessions.remove(&idlest);
            }
        }
        sessions.insert(digest(&id), Session { subject, csrf: csrf.into(), began: now, used: now });
        Ok(id)
    }

    /// Whose session this is, with its secret for forms; looking at it is using it.
    pub(crate) fn of(
        &self,
        id: &str,
        tokens: &Tokens,
        now: Instant,
        now_unix_us: i64,
    ) -> Option<(Known, Arc<str>, Subject)> {
        let key = digest(id);
        let sessions = &mut self.held().sessions;
        let session = sessions.get_mut(&key)?;
        let known = session.subject.known(tokens, now_unix_us).filter(|_| !session.over(now));
        match known {
            Some(known) => {
                session.used = now;
                Some((known, Arc::clone(&session.csrf), session.subject.clone()))
            }
            None => {
                sessions.remove(&key);
                None
            }
        }
    }

    /// Ends one.
    pub(crate) fn end(&self, id: &str) {
        self.held().sessions.remove(&digest(id));
    }

    /// Makes a link for one log-in and gives its code, which is kept nowhere.
    pub(crate) fn link(&self, subject: Subject, now: Instant) -> Result<String, TokenError> {
        let code = random_text()?;
        let links = &mut self.held().links;
        links.retain(|one| !one.over(now));
        if links.len() >= LINKS_MAX {
            links.remove(0);
        }
        links.push(Link { digest: digest(&code), subject, made: now });
        Ok(code)
    }

    /// Whose a link's code is, for the page that asks; the link stays good.
    pub(crate) fn link_of(&self, code: &str, tokens: &Tokens, now: Instant, now_unix_us: i64) -> Option<Known> {
        let wanted = digest(code);
        let held = self.held();
        let link = held.links.iter().find(|one| one.digest == wanted && !one.over(now))?;
        link.subject.known(tokens, now_unix_us)
    }

    /// Uses a link up.
    pub(crate) fn follow(&self, code: &str, tokens: &Tokens, now: Instant, now_unix_us: i64) -> Option<Subject> {
        let wanted = digest(code);
        let links = &mut self.held().links;
        let at = links.iter().position(|one| one.digest == wanted)?;
        let link = links.remove(at);
        let good = !link.over(now) && link.subject.known(tokens, now_unix_us).is_some();
        good.then_some(link.subject)
    }
}

impl Link {
    fn over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.made) >= Duration::from_secs(LINK_LIFE_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Clock;

    const S: Duration = Duration::from_secs(1);

    fn link(name: &str) -> Subject {
        Subject::Link { name: Arc::from(name), role: Role::Admin, maker: None }
    }

    #[test]
    fn a_session_ends_unused_or_old_or_when_it_is_left() {
        let (sessions, tokens, begin) = (Sessions::default(), Tokens::default(), Clock.now());
        let id = sessions.begin(link("ann"), begin).unwrap();
        assert!(sessions.of("something else", &tokens, begin, 0).is_none());
        let mut now = begin;
        while now + IDLE < begin + Duration::from_secs(LIFE_S) {
            now += IDLE - S;
            assert!(sessions.of(&id, &tokens, now, 0).is_some());
        }
        assert!(sessions.of(&id, &tokens, begin + Duration::from_secs(LIFE_S), 0).is_none(), "it is old");
        let id = sessions.begin(link("ann"), begin).unwrap();
        assert!(sessions.of(&id, &tokens, begin + IDLE, 0).is_none(), "it was unused");
        let id = sessions.begin(link("ann"), begin).unwrap();
        sessions.end(&id);
        assert!(sessions.of(&id, &tokens, begin, 0).is_none(), "it was left");
        assert!(sessions.held().sessions.is_empty());
    }

    #[test]
    fn sessions_are_few_and_nobody_crowds_out_the_others() {
        let (sessions, tokens, begin) = (Sessions::default(), Tokens::default(), Clock.now());
        let bob = sessions.begin(link("bob"), begin).unwrap();
        let mut ids = Vec::new();
        for n in 0..1_000 {
            ids.push(sessions.begin(link("ann"), begin + S * n).unwrap());
        }
        assert_eq!(sessions.held().sessions.len(), SESSIONS_OF_ONE_MAX + 1);
        let at = begin + S * 1_000;
        assert!(sessions.of(&bob, &tokens, at, 0).is_some() && sessions.of(&ids[999], &tokens, at, 0).is_some());
        assert!(sessions.of(&ids[0], &tokens, at, 0).is_none());
        for n in 0..2 * SESSIONS_MAX {
            sessions.begin(link(&n.to_string()), at).unwrap();
        }
        assert_eq!(sessions.held().sessions.len(), SESSIONS_MAX);
    }

    #[test]
    fn a_session_ends_with_its_token_and_with_the_token_that_made_its_link() {
        let (sessions, now) = (Sessions::default(), Clock.now());
        let mut tokens = Tokens::default();
        let text = tokens.create("ann", Role::Admin, 0, None).unwrap();
        let token = tokens.find(&text, 0).unwrap().digest();
        let own = sessions.begin(Subject::Token(token), now).unwrap();
        let lent = Subject::Link { name: Arc::from("bob"), role: Role::Viewer, maker: Some(token) };
        let (lent, waiting) = (sessions.begin(lent.clone(), now).unwrap(), sessions.link(lent, now).unwrap());
        let known = |id: &str, tokens: &Tokens| sessions.of(id, tokens, now, 0).map(|(known, ..)| known);
        assert_eq!(known(&own, &tokens), Some(Known::Named { name: Arc::from("ann"), role: Role::Admin }));
        assert_eq!(known(&lent, &tokens), Some(Known::Named { name: Arc::from("bob"), role: Role::Viewer }));
        tokens.revoke("ann", 0).unwrap();
        assert_eq!((known(&own, &tokens), known(&lent, &tokens)), (None, None));
        assert!(sessions.follow(&waiting, &tokens, now, 0).is_none());
    }

    #[test]
    fn a_link_works_once_and_soon() {
        let (sessions, tokens, now) = (Sessions::default(), Tokens::default(), Clock.now());
        let code = sessions.link(link("ann"), now).unwrap();
        assert!(sessions.link_of(&code, &tokens, now, 0).is_some(), "looking does not use it up");
        assert_eq!(sessions.follow(&code, &tokens, now, 0), Some(link("ann")));
        assert_eq!(sessions.follow(&code, &tokens, now, 0), None);
        let code = sessions.link(link("ann"), now).unwrap();
        assert_eq!(sessions.follow(&code, &tokens, now + Duration::from_secs(LINK_LIFE_S), 0), None);
        for _ in 0..1_000 {
            sessions.link(link("ann"), now).unwrap();
        }
        assert_eq!(sessions.held().links.len(), LINKS_MAX);
    }
}
