//! The requests and answers of the benchmark: bytes made once, of an exact size, in which only a number changes.
//!
//! Bodies are JSON such as a customer service sends, with names, addresses, cards and tokens, so that redaction has its
//! usual work. The number makes each body a different one: whoever stores them cannot store one for all.

/// Digits of the number in path and body.
const DIGITS: usize = 9;

/// Of so many entries of a body the first is a person, the others are lines of an order: about one person in a KiB.
const ENTRIES_PER_PERSON: usize = 7;

/// A message whose number can be set.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    /// Where the number stands.
    places: Vec<usize>,
}

impl Template {
    fn new(text: String) -> Self {
        let mark = "#".repeat(DIGITS);
        let places = text.match_indices(&mark).map(|(at, _)| at).collect();
        let mut template = Self { bytes: text.into_bytes(), places };
        template.number(0);
        template
    }

    fn number(&mut self, number: u64) {
        let digits = format!("{:0width$}", number % 10u64.pow(DIGITS as u32), width = DIGITS);
        for place in &self.places {
            self.bytes[*place..*place + DIGITS].copy_from_slice(digits.as_bytes());
        }
    }

    /// The message with this number.
    pub fn with(&mut self, number: u64) -> &[u8] {
        self.number(number);
        &self.bytes
    }
}

/// A GET, or a POST with a body of `body_bytes`. The path says how large an answer is wanted.
pub fn request(post_bytes: Option<usize>, answer_bytes: usize) -> Template {
    let (method, size) = if post_bytes.is_some() { ("POST", post_bytes.unwrap_or(0)) } else { ("GET", 0) };
    let mut text = format!(
        "{method} /answers/{answer_bytes}/customers/{mark} HTTP/1.1\r\nhost: provider.internal\r\n\
         user-agent: dl-bench\r\naccept: application/json\r\naccept-encoding: identity\r\n\
         authorization: Bearer 4f0c1a6de2b84d3c9a7be15f{mark}\r\nx-request-id: 018f3c2e-7b1a-7{mark}\r\n",
        mark = "#".repeat(DIGITS)
    );
    if post_bytes.is_some() {
        text.push_str(&format!("content-type: application/json\r\ncontent-length: {size}\r\n\r\n{}", body(size)));
    } else {
        text.push_str("\r\n");
    }
    Template::new(text)
}

/// A plain GET, such as a browser sends to a page.
pub fn get(server: std::net::SocketAddr, path: &str) -> Template {
    Template::new(format!("GET {path} HTTP/1.1\r\nhost: {server}\r\naccept: text/html\r\n\r\n"))
}

/// An answer with a body of `body_bytes`.
pub fn answer(status: &str, body_bytes: usize) -> Template {
    Template::new(format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nserver: dl-bench\r\ncontent-length: {body_bytes}\r\n\r\n{}",
        body(body_bytes)
    ))
}

/// JSON of exactly this size, or blanks when there is no room for any.
fn body(size: usize) -> String {
    let mark = "#".repeat(DIGITS);
    let mut text = format!("{{\"request\":\"{mark}\",\"entries\":[");
    let tail = |filler: usize| format!("],\"note\":\"{}\"}}", "n".repeat(filler));
    for entry in 0.. {
        let comma = if entry == 0 { "" } else { "," };
        let next = comma.to_owned() + &if entry % ENTRIES_PER_PERSON == 0 { person(entry) } else { line(entry) };
        if text.len() + next.len() + tail(0).len() > size {
            break;
        }
        text.push_str(&next);
    }
    let room = size.checked_sub(text.len() + tail(0).len());
    room.map_or_else(|| " ".repeat(size), |filler| text + &tail(filler))
}

fn person(number: usize) -> String {
    let mark = "#".repeat(DIGITS);
    format!(
        "{{\"customer\":{number},\"name\":\"Ada Example\",\"email\":\"ada.{mark}@mail.example\",\"phone\":\"+1-202-555-01{:02}\",\
         \"card\":\"4111111111111111\",\"street\":\"{number} Long Street\",\"city\":\"Springfield\",\"active\":true}}",
        number % 100
    )
}

fn line(number: usize) -> String {
    format!(
        "{{\"sku\":\"SKU-{:04}\",\"quantity\":{},\"price\":{}.50,\"currency\":\"eur\",\"status\":\"shipped\",\
         \"description\":\"notebook with dotted pages and a blue cover\"}}",
        number % 10_000,
        number % 9 + 1,
        number * 17 % 1000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_of_the_exact_size() {
        for size in [64, 1024, 65_536] {
            let text = body(size);
            assert_eq!(text.len(), size);
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
        assert_eq!(body(3), "   ");
    }

    #[test]
    fn every_number_makes_another_message_of_the_same_length() {
        let mut request = request(Some(1024), 1024);
        let one = request.with(1).to_vec();
        let two = request.with(2).to_vec();
        assert_eq!(one.len(), two.len());
        assert_ne!(one, two);
        assert!(!String::from_utf8(two).unwrap().contains('#'));
    }

    #[test]
    fn the_length_header_is_the_body_s_length() {
        let mut answer = answer("200 OK", 1024);
        let text = String::from_utf8(answer.with(7).to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("content-length: 1024"));
        assert_eq!(body.len(), 1024);
    }
}
