//! What is planted: personal data that no store may hold readable, and credentials that no shadow may see.

/// One planted value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plant {
    /// What it is, for a person.
    pub(crate) what: &'static str,
    /// The value, unlike anything else in the request.
    pub(crate) value: &'static str,
}

/// Personal data and tokens by their shape alone: they stand in texts, under names that tell nothing. Test numbers of
/// the schemes, with right checksums.
pub(crate) const PERSONAL: [Plant; 4] = [
    Plant { what: "e-mail", value: "selftest.canary@mail.example" },
    Plant { what: "card", value: "4111111111111111" },
    Plant { what: "IBAN", value: "GB82WEST12345698765432" },
    Plant { what: "token", value: "ghp_0123456789abcdefghij0123456789abcdef" },
];

/// The credential in `Authorization`.
pub(crate) const AUTHORIZATION: Plant = Plant { what: "Authorization", value: "selftest-bearer-5c1f0a" };
/// The credential in `Cookie`.
pub(crate) const COOKIE: Plant = Plant { what: "Cookie", value: "selftest-session-77ab02" };
/// The credential in `X-Api-Key`.
pub(crate) const API_KEY: Plant = Plant { what: "X-Api-Key", value: "selftest-apikey-90d4e1" };
/// The credential in the query.
pub(crate) const QUERY_KEY: Plant = Plant { what: "the query's api_key", value: "selftest-querykey-1b86f3" };
/// Another credential in the query.
pub(crate) const QUERY_TOKEN: Plant = Plant { what: "the query's access_token", value: "selftest-querytoken-e2097c" };

/// The primary's credentials, all of them.
pub(crate) const CREDENTIALS: [Plant; 5] = [AUTHORIZATION, COOKIE, API_KEY, QUERY_KEY, QUERY_TOKEN];

/// A JSON body with all personal data in it.
pub(crate) fn body() -> String {
    let [email, card, iban, token] = PERSONAL.map(|plant| plant.value);
    format!(
        r#"{{"memo":"write to {email} today","text":"paid with {card} today","note":"to {iban} today","hint":"{token}"}}"#
    )
}
