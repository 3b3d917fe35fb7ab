//! Each format: what is replaced, how it is written back, and what stays byte for byte.

use super::*;

/// The stand-in of a value under a name.
fn fake(key: &str, value: &str) -> String {
    let body = serde_json::json!({ key: value }).to_string();
    let out: serde_json::Value = serde_json::from_str(&redact("application/json", &body)).unwrap();
    let fresh = out.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
    assert_ne!(fresh, value);
    fresh
}

/// Redacts, and again, which must change nothing.
fn once(content_type: &str, body: &str) -> String {
    let out = redact(content_type, body);
    assert_eq!(redact(content_type, &out), out, "twice: {content_type} {body}");
    out
}

fn dropped(content_type: &str, body: &[u8]) -> DropReason {
    REDACTOR.body(content_type, body).map(drop).unwrap_err()
}

fn email() -> String {
    fake("email", "ada@example.org")
}

#[test]
fn xml_names_its_values_in_many_ways() {
    let (email, ada, secret) = (email(), fake("firstName", "Ada"), fake("password", "hunter2"));
    for (body, wanted) in [
        ("<c:firstName>Ada</c:firstName>".to_owned(), format!("<c:firstName>{ada}</c:firstName>")),
        ("<a firstName='Ada' b=\"1\"/>".into(), format!("<a firstName='{ada}' b=\"1\"/>")),
        ("<entry key=\"password\">hunter2</entry>".into(), format!("<entry key=\"password\">{secret}</entry>")),
        ("<field name=\"password\">hunter2</field>".into(), format!("<field name=\"password\">{secret}</field>")),
        ("<P Name=\"password\" Value=\"hunter2\"/>".into(), format!("<P Name=\"password\" Value=\"{secret}\"/>")),
        (
            "<Attribute Name=\"password\"><AttributeValue>hunter2</AttributeValue></Attribute>".into(),
            format!("<Attribute Name=\"password\"><AttributeValue>{secret}</AttributeValue></Attribute>"),
        ),
        (
            "<i><Key>password</Key><Value>hunter2</Value></i>".into(),
            format!("<i><Key>password</Key><Value>{secret}</Value></i>"),
        ),
        ("<a> \n ada@example.org\t</a>".into(), format!("<a> \n {email}\t</a>")),
        ("<a><![CDATA[ada@example.org & co]]></a>".into(), format!("<a><![CDATA[{email} & co]]></a>")),
        (
            "<a>x &amp; &#x41; ada&#64;example.org &lt;y&gt;</a>".into(),
            format!("<a>x &amp; &#x41; {email} &lt;y&gt;</a>"),
        ),
        ("<a>ada@<!-- c -->example<![CDATA[.org]]></a>".into(), format!("<a>{email}<!-- c --><![CDATA[]]></a>")),
        (
            "<a><!-- ada@example.org --><?p ada@example.org?></a>".into(),
            format!("<a><!-- {email} --><?p {email}?></a>"),
        ),
        ("<a>{\"password\":\"hunter2\"}</a>".into(), format!("<a>{{&quot;password&quot;:&quot;{secret}&quot;}}</a>")),
    ] {
        let whole =
            |inside: &str| format!("<?xml version=\"1.0\"?>\r\n<s:E xmlns:s=\"urn:s\"><b/>\n{inside} mixed</s:E >\n");
        let out = once("application/soap+xml", &whole(&body));
        // A leaf that changed in several places is written anew between the first and the last of them.
        assert_eq!(
            out.replace("{\"password\":\"", "{&quot;password&quot;:&quot;").replace("\"}<", "&quot;}<"),
            whole(&wanted)
        );
    }
}

#[test]
fn xml_that_is_not_well_formed_is_dropped() {
    for body in [
        "",
        " ",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a></a>x",
        "x<a/>",
        "<a b=c/>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "<1/>",
        "<a>&nbsp;</a>",
        "<a>& </a>",
        "<a>\u{1}</a>",
        "<a>]]></a>",
        "<a><!-- -- --></a>",
        "<a b='1'c='2'/>",
        "<!DOCTYPE a [<!ENTITY e \"ada@example.org\">]><a>&e;</a>",
        "<a><![CDATA[x</a>",
        "<a><?xml version='1.0'?></a>",
        "{\"a\":1}",
        "<a\u{a0}b='1'/>",
    ] {
        let expected = if body.is_empty() { Ok(()) } else { Err(DropReason::Unparseable) };
        assert_eq!(REDACTOR.body("text/xml", body.as_bytes()).map(drop), expected, "{body}");
    }
    assert_eq!(dropped("text/xml", "<a>".repeat(100).as_bytes()), DropReason::TooDeep);
    let typed = "<!DOCTYPE html SYSTEM \"x.dtd\"><html>&eacute;&foo;</html>";
    assert_eq!(once("application/xhtml+xml", typed), typed);
}

#[test]
fn html_is_read_leniently() {
    let (email, secret) = (email(), fake("password", "hunter2"));
    for (body, wanted) in [
        ("<p>a <b>ada@example.org<br>c".to_owned(), format!("<p>a <b>{email}<br>c")),
        ("<a href=\"mailto:ada@example.org\">x</a>".into(), format!("<a href=\"mailto:{email}\">x</a>")),
        ("<a href=/a?password=hunter2>x".into(), format!("<a href=\"/a?password={secret}\">x")),
        ("<input name=password value=hunter2>".into(), format!("<input name=password value={secret}>")),
        ("<textarea name=password>hunter2</textarea>".into(), format!("<textarea name=password>{secret}</textarea>")),
        (
            "<script type=\"application/json\">{\"password\":\"hunter2\"}</script>".into(),
            format!("<script type=\"application/json\">{{\"password\":\"{secret}\"}}</script>"),
        ),
        ("<script>f('ada@example.org') < 1</script>".into(), format!("<script>f('{email}') < 1</script>")),
        ("<dl><dt>Password:<dd>hunter2</dl>".into(), format!("<dl><dt>Password:<dd>{secret}</dl>")),
        ("<tr><th>Password</th><td>hunter2</td></tr>".into(), format!("<tr><th>Password</th><td>{secret}</td></tr>")),
        ("Ada <ada@example.org> <3".into(), format!("Ada <{email}> <3")),
        ("a&nbsp;ada&commat;example.org &euro; &".into(), format!("a&nbsp;{email} &euro; &")),
        ("<!-- ada@example.org".into(), format!("<!-- {email}")),
        ("<a ada@example.org x='".into(), format!("<a {email} x='")),
    ] {
        assert_eq!(once("text/html", &body), wanted);
    }
    let lists = "<ul>".to_owned() + &"<li>x".repeat(1000) + "</ul>";
    assert_eq!(once("text/html", &lists), lists);
}

#[test]
fn forms_and_queries_keep_their_style() {
    let (email, secret) = (email(), fake("password", "hunter2"));
    let encoded = email.replace('@', "%40");
    for (body, wanted) in [
        ("email=ada%40example.org&x=%zz&y=a+b%20c&z".to_owned(), format!("email={encoded}&x=%zz&y=a+b%20c&z")),
        ("email=ada@example.org\r\n".into(), format!("email={email}\r\n")),
        ("email=ada%2540example.org".into(), format!("email={}", email.replace('@', "%2540"))),
        (
            "user[password]=hunter2&items[0][password]=hunter2".into(),
            format!("user[password]={secret}&items[0][password]={secret}"),
        ),
        ("user%5Bpassword%5D=hunter2".into(), format!("user%5Bpassword%5D={secret}")),
        ("ada%40example.org=1&password=".into(), format!("{encoded}=1&password=")),
        ("a=1;password=hunter2".into(), format!("a=1;password={secret}")),
        ("Jos%E9=1&password=%E9".into(), format!("Jos%E9=1&password={}", fake("password", "é"))),
        (
            "next=https%3A%2F%2Fx.example%2F%3Fpassword%3Dhunter2%26n%3D1".into(),
            format!("next=https%3A%2F%2Fx.example%2F%3Fpassword%3D{secret}%26n%3D1"),
        ),
        (
            "j=%7B%22password%22%3A%22hunter2%22%7D&b=eyJwYXNzd29yZCI6Imh1bnRlcjIifQ%3D%3D".into(),
            format!(
                "j=%7B%22password%22%3A%22{secret}%22%7D&b={}",
                base64::engine::general_purpose::STANDARD
                    .encode(format!("{{\"password\":\"{secret}\"}}"))
                    .replace('=', "%3D")
            ),
        ),
        ("phone=%2b44+20+7946+0958".into(), format!("phone={}", fake("phone", "+44 20 7946 0958").replace('+', "%2b"))),
    ] {
        assert_eq!(once("application/x-www-form-urlencoded", &body), wanted);
    }
    assert_eq!(dropped("application/x-www-form-urlencoded", b"a=\xff"), DropReason::Unparseable);
    let json = once("application/x-www-form-urlencoded", "{\"password\":\"hunter2\"}");
    assert_eq!(json, format!("{{\"password\":\"{secret}\"}}"));
}

#[test]
fn urls_stay_urls() {
    let (email, secret) = (email(), fake("password", "hunter2"));
    let link = |text: &str| once("text/uri-list", text);
    for (url, wanted) in [
        ("https://ada:hunter2@x.example:8443/a".to_owned(), "https://***@x.example:8443/a".to_owned()),
        (
            "https://x.example/u/ada%40example.org/x".into(),
            format!("https://x.example/u/{}/x", email.replace('@', "%40")),
        ),
        ("/u/ada@example.org;v=1?a=b#password=hunter2".into(), format!("/u/{email};v=1?a=b#password={secret}")),
        ("/a#/route?password=hunter2".into(), format!("/a#/route?password={secret}")),
        ("/a;password=hunter2/b".into(), format!("/a;password={secret}/b")),
        ("mailto:ada@example.org?subject=x".into(), format!("mailto:{email}?subject=x")),
        ("tel:+442079460958".into(), format!("tel:{}", fake("phone", "+442079460958"))),
        ("http://203.0.113.9/".into(), format!("http://{}/", fake("x", "203.0.113.9"))),
        ("http://[2001:db9::9]:80/".into(), format!("http://[{}]:80/", fake("x", "2001:db9::9"))),
        ("https://x.example/a%2Fb?c=%2B&d".into(), "https://x.example/a%2Fb?c=%2B&d".into()),
    ] {
        assert_eq!(link(&url), wanted);
    }
    for url in ["https://", "://", ":", "//", "a:b:c", "http://[", "?", "#", "#/#/#", "mailto:", "%", "/;/;=;"] {
        assert_eq!(link(url), url);
    }
}

#[test]
fn tables_are_named_by_their_header() {
    let (email, ada) = (fake("email", "x at y"), fake("firstName", "Ada"));
    for (content_type, body, wanted) in [
        ("text/csv", "id,email\r\n1,x at y\r\n2,\r\n".to_owned(), format!("id,email\r\n1,{email}\r\n2,\r\n")),
        ("text/csv", "id;\"email\"\n1; \"x at y\n".into(), format!("id;\"email\"\n1; {}\n", fake("email", "\"x at y"))),
        ("text/csv", "\"first\"\"Name\",first_name\n\"a\",\"Ada\"\n".into(), {
            format!("\"first\"\"Name\",first_name\n\"{}\",\"{ada}\"\n", fake("firstName", "a"))
        }),
        ("text/csv", "a,note\n1,\"say \"\"hi\"\" to\nada@example.org\"\n".into(), {
            format!("a,note\n1,\"say \"\"hi\"\" to\n{}\"\n", self::email())
        }),
        ("text/csv", "ada@example.org,1\nAda,2".into(), format!("{},1\nAda,2", self::email())),
        ("text/csv", "first_name,x\nAda,1,2,3\nAda\n".into(), format!("first_name,x\n{ada},1,2,3\n{ada}\n")),
        ("text/tab-separated-values", "id\tfirst_name\n1\tAda\n".into(), format!("id\tfirst_name\n1\t{ada}\n")),
        ("text/tab-separated-values", "id\tfirst_name\n1\t\"Ada\"\n".into(), format!("id\tfirst_name\n1\t\"{ada}\"\n")),
        ("text/plain", "id|first_name\n1|Ada\n".into(), format!("id|first_name\n1|{ada}\n")),
    ] {
        assert_eq!(once(content_type, &body), wanted, "{body}");
    }
    assert_eq!(dropped("text/csv", b"a,\"b"), DropReason::Unparseable);
    assert_eq!(dropped("text/csv", b"a,\"b\"c"), DropReason::Unparseable);
}

#[test]
fn graphql_arguments_are_named() {
    let (ada, secret, email) = (fake("firstName", "Ada"), fake("password", "hunter2"), email());
    let card = fake("cardNumber", "4242424242424242");
    for (body, wanted) in [
        ("{ a(firstName: \"Ada\") { id } }".to_owned(), format!("{{ a(firstName: \"{ada}\") {{ id }} }}")),
        (
            "mutation M($p: [S!]! = {password: \"hunter2\"}) @d(x: $p) { x: c(in: {password: \"h\\u0075nter2\"}) }"
                .into(),
            format!(
                "mutation M($p: [S!]! = {{password: \"{secret}\"}}) @d(x: $p) {{ x: c(in: {{password: \"{secret}\"}}) }}"
            ),
        ),
        (
            "{ a(b: \"\"\"\n to ada@example.org \\\"\"\" \"\"\") }".into(),
            format!("{{ a(b: \"\"\"\n to {email} \\\"\"\" \"\"\") }}"),
        ),
        ("{ pay(card: {number: 4242424242424242}) } # ada@example.org".into(), {
            format!("{{ pay(card: {{number: {card}}}) }} # {email}")
        }),
        ("fragment F on T { a(b: [1.5e3, -2, true, null, $v, E]) }, { ...F ... on T @x { c } ... { d } }".into(), {
            "fragment F on T { a(b: [1.5e3, -2, true, null, $v, E]) }, { ...F ... on T @x { c } ... { d } }".into()
        }),
    ] {
        assert_eq!(once("application/graphql", &body), wanted);
        let json = |query: &str| serde_json::json!({ "query": query, "variables": { "firstName": "Ada" } }).to_string();
        assert_eq!(once("application/json", &json(&body)), json(&wanted).replace("\"Ada\"", &format!("\"{ada}\"")));
        let target = format!("query={}", crate::redact::format::percent::encode(&body));
        let out = once("application/x-www-form-urlencoded", &target);
        assert_eq!(crate::redact::format::percent::decode(&out, true).unwrap(), format!("query={wanted}"));
    }
    for body in [
        "",
        " ",
        "{",
        "{ a(b: \"x) }",
        "{ a(b: 01) }",
        "{ a(b: \"\\x\") }",
        "query",
        "{}x",
        "type A { b: C }",
        "{ a }}",
    ] {
        let expected = if body.is_empty() { Ok(()) } else { Err(DropReason::Unparseable) };
        assert_eq!(REDACTOR.body("application/graphql", body.as_bytes()).map(drop), expected, "{body}");
    }
    assert_eq!(dropped("application/graphql", "{a".repeat(1000).as_bytes()), DropReason::TooDeep);
}

#[test]
fn events_and_lines_are_put_back_line_by_line() {
    let (email, secret) = (email(), fake("password", "hunter2"));
    let body = ": ada@example.org\r\nid: ada@example.org\r\nevent:x\r\ndata: {\"password\":\r\nretry: 10\r\ndata:\"hunter2\"}\r\n\r\ndata: [DONE]\r\n\rdata:ada@example.org";
    let wanted = format!(
        ": {email}\r\nid: {email}\r\nevent:x\r\ndata: {{\"password\":\r\nretry: 10\r\ndata:\"{secret}\"}}\r\n\r\ndata: [DONE]\r\n\rdata:{email}"
    );
    assert_eq!(once("text/event-stream", body), wanted);
    let lines = "{\"password\":\"hunter2\"}\r\n\n[1]\n";
    assert_eq!(once("application/x-ndjson", lines), lines.replace("hunter2", &secret));
    assert_eq!(dropped("application/x-ndjson", b"{}\nnope\n"), DropReason::Unparseable);
    let sequence = "\u{1e}{\"password\":\"hunter2\"}\n\u{1e}[]\n";
    assert_eq!(once("application/json-seq", sequence), sequence.replace("hunter2", &secret));
    assert_eq!(dropped("application/json-seq", b"{}\n"), DropReason::Unparseable);
}

#[test]
fn multipart_is_redacted_part_by_part() {
    let (email, secret) = (fake("email", "x at y"), fake("password", "hunter2"));
    let part = |head: &str, body: &str| format!("--b-1\r\n{head}\r\n\r\n{body}\r\n");
    let name = |name: &str| format!("Content-Disposition: form-data; name=\"{name}\"");
    let json = format!("{}\r\nContent-Type: application/json", name("j"));
    let coded = |body: &str| base64::engine::general_purpose::STANDARD.encode(body);
    let base64 = format!("{json}\r\nContent-Transfer-Encoding: base64");
    let quoted = format!("{}\r\nContent-Transfer-Encoding: quoted-printable", name("password"));
    let body = [
        "pre\r\n",
        &part(&name("user[email]"), "x at y"),
        &part(&name("n"), ""),
        &part(&json, "{\"password\":\"hunter2\"}"),
        &part(&base64, &coded("{\"password\":\"hunter2\"}")),
        &part(&quoted, "hunt=65r2"),
        "--b-1--\r\nbye",
    ]
    .concat();
    let wanted = [
        "pre\r\n",
        &part(&name("user[email]"), &email),
        &part(&name("n"), ""),
        &part(&json, &format!("{{\"password\":\"{secret}\"}}")),
        &part(&base64, &coded(&format!("{{\"password\":\"{secret}\"}}"))),
        &part(&quoted, &secret),
        "--b-1--\r\nbye",
    ]
    .concat();
    assert_eq!(once("multipart/form-data; boundary=\"b-1\"", &body), wanted);
    assert_eq!(
        once("multipart/form-data; boundary=\"b-1\"", &body.replace("\r\n", "\n")),
        wanted.replace("\r\n", "\n")
    );
    assert_eq!(
        dropped("multipart/form-data; boundary=b-1", body.replace("--b-1--", "").as_bytes()),
        DropReason::Unparseable
    );
    assert_eq!(dropped("multipart/form-data", b"x"), DropReason::Unparseable);
}

#[test]
fn parts_that_are_not_understood_become_markers() {
    let upload =
        "Content-Disposition: form-data; name=\"f\"; filename=\"Ada Lovelace.PNG\"; filename*=UTF-8''Ad%C3%A4.png";
    let body = format!(
        "--b\r\n{upload}\r\nContent-Type: image/png\r\n\r\nPNG\r\n--b\r\nContent-Type: application/json\r\n\r\n{{\r\n--b--"
    );
    let out = once("multipart/form-data; boundary=b", &body);
    assert!(out.contains("\r\n\r\n[dropped: unknown_type, 3 bytes]\r\n--b"), "{out}");
    assert!(out.contains("\r\n\r\n[dropped: unparseable, 1 bytes]\r\n--b--"), "{out}");
    assert!(!out.contains("Ada") && !out.contains("Ad%C3") && out.contains(".PNG\"") && out.contains(".png"), "{out}");
    let inner = "--c\r\nContent-Type: text/plain\r\n\r\nada@example.org\r\n--c--";
    let mixed = |inner: &str| format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{inner}\r\n--b--\r\n");
    assert_eq!(
        once("multipart/related; boundary=b", &mixed(inner)),
        mixed(&inner.replace("ada@example.org", &email()))
    );
}

#[test]
fn messages_carry_messages() {
    let (email, secret) = (email(), fake("password", "hunter2"));
    let head = "POST /a?password=hunter2 HTTP/1.1\r\nHost: a.example\r\nX-Note: ada@example.org\r\nContent-Type: application/json\r\nContent-Length: 22";
    let body = "{\"password\":\"hunter2\"}";
    let fresh = body.replace("hunter2", &secret);
    let wanted = head.replace("hunter2", &secret).replace("ada@example.org", &email);
    let wanted = wanted.replace("Length: 22", &format!("Length: {}", fresh.len()));
    for content_type in ["message/http", "application/http; msgtype=request", "text/plain", ""] {
        assert_eq!(once(content_type, &format!("{head}\r\n\r\n{body}")), format!("{wanted}\r\n\r\n{fresh}"));
    }
    assert_eq!(dropped("message/http", b"no message"), DropReason::Unparseable);
    assert_eq!(
        dropped("message/http", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        DropReason::Undecodable
    );
    let folded = "From: Ada\r\n <ada@example.org>\r\nSubject: x\r\n\r\nhi";
    assert_eq!(once("message/rfc822", folded), folded.replace("ada@example.org", &email));
}

#[test]
fn cards_calendars_and_settings_have_names_too() {
    let (email, ada) = (email(), fake("firstName", "Ada Lovelace"));
    let card = "BEGIN:VCARD\r\nitem1.EMAIL;TYPE=work:ada@exa\r\n mple.org\r\nFN:Ada Lovelace\r\nN:Lovelace;Ada;;;\r\nEND:VCARD\r\n";
    let wanted = format!(
        "BEGIN:VCARD\r\nitem1.EMAIL;TYPE=work:{email}\r\nFN:{ada}\r\nN:{};{};;;\r\nEND:VCARD\r\n",
        fake("firstName", "Lovelace"),
        fake("firstName", "Ada")
    );
    assert_eq!(once("text/vcard", card), wanted);
    let event = "BEGIN:VCALENDAR\nATTENDEE;CN=\"Ada Lovelace\":mailto:ada@example.org\nDTSTART:20240101T000000Z\nEND:VCALENDAR\n";
    assert_eq!(once("text/calendar", event), event.replace("ada@example.org", &email).replace("Ada Lovelace", &ada));
    assert_eq!(dropped("text/vcard", b"BEGIN:VCARD\nnonsense\n"), DropReason::Unparseable);
    let yaml = "user:\n  password: hunter2 # keep ada@example.org\n  'password': \"hunter2\"\n  list:\n    - password: hunter2\n";
    let wanted = yaml.replace("hunter2", &fake("password", "hunter2")).replace("ada@example.org", &email);
    assert_eq!(once("application/yaml", yaml), wanted);
    let toml = "[user]\npassword = \"hunter2\"\nn = 1\n";
    assert_eq!(once("application/toml", toml), toml.replace("hunter2", &fake("password", "hunter2")));
}

#[test]
fn tokens_stay_tokens() {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    let token = |header: &str, payload: &str, signature: &str| {
        format!("{}.{}.{}", BASE64.encode(header), BASE64.encode(payload), BASE64.encode(signature))
    };
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let payload = r#"{"iss":"https://id.example","sub":"user-77","email":"ada@example.org","exp":1700000000,"roles":["a"],"nested":{"org":"acme"}}"#;
    let raw = token(header, payload, "signature");
    let out = once("application/jwt", &raw);
    let parts: Vec<&str> = out.split('.').collect();
    assert_eq!(parts[0], BASE64.encode(header));
    let claims: serde_json::Value = serde_json::from_slice(&BASE64.decode(parts[1]).unwrap()).unwrap();
    assert_eq!(claims["iss"], "https://id.example");
    assert_eq!(claims["roles"][0], "a");
    assert_eq!(claims["exp"], 1_700_000_000);
    assert_eq!(claims["email"], email());
    assert!(
        claims["sub"].as_str().unwrap().starts_with("tok-")
            && claims["nested"]["org"].as_str().unwrap().starts_with("tok-")
    );
    assert_eq!(BASE64.decode(parts[2]).unwrap().len(), 32);
    // Under another key the signature differs, but the claims are known as stand-ins.
    let other = Redactor::compile(&builtin(), PseudonymKey::new([9; 32]), Settings::default()).unwrap();
    let again = other.body("application/jwt", out.as_bytes()).unwrap().into_inner();
    assert_eq!(again, out.as_bytes());
    for opaque in ["a.b.c.d.e", "x", &token(header, "no json", "s"), &token("x", payload, "s")] {
        assert!(once("application/jwt", opaque).starts_with("tok-"), "{opaque}");
    }
    // A claim given twice is no way to hide one.
    let twice = once("application/jwt", &token(header, r#"{"sub":"Ada Lovelace","sub":""}"#, "s"));
    let claims = BASE64.decode(twice.split('.').nth(1).unwrap()).unwrap();
    assert!(!String::from_utf8_lossy(&claims).contains("Ada"));
}

#[test]
fn a_rule_of_type_jwt_keeps_tokens_readable() {
    let rule = r#"
[[rule]]
id = "jwt"
type = "jwt"
why = "a signed token"
pattern = '(?-u:\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*)'
validator = "jwt"
hits = ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3"]
misses = ["eyJ"]
"#;
    let files = [vec![RuleFile { name: "jwt.toml".into(), text: rule.into() }], builtin()[1..].to_vec()].concat();
    let redactor = Redactor::compile(&files, PseudonymKey::new([3; 32]), Settings::default()).unwrap();
    let redact =
        |text: &str| String::from_utf8(redactor.body("text/plain", text.as_bytes()).unwrap().into_inner()).unwrap();
    let out = redact("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3, ok");
    let token = out.strip_prefix("got ").unwrap().strip_suffix(", ok").unwrap();
    assert!(token.starts_with("eyJhbGciOiJIUzI1NiJ9.eyJ") && token.split('.').count() == 3, "{out}");
    assert!(!out.contains("eyJzdWIiOiIxMjM0In0"), "{out}");
    assert_eq!(redact(&out), out);
}

#[test]
fn claims_and_looks_choose_the_format() {
    for (content_type, body) in [
        ("application/json", "a=b"),
        ("application/problem+json", "<a/>"),
        ("application/xml", "{}"),
        ("multipart/mixed; boundary=x", "{}"),
        ("application/graphql", "{\"a\":1}"),
        ("application/jwt", "{}"),
        ("application/x-ndjson", "a\n"),
    ] {
        assert_eq!(dropped(content_type, body.as_bytes()), DropReason::Unparseable, "{content_type} {body}");
    }
    for content_type in
        ["application/octet-stream", "application/vnd.acme.v2", "", "text/plain", "text/weird", "nonsense"]
    {
        let out = once(content_type, "{\"password\":\"hunter2\"}");
        assert_eq!(out, format!("{{\"password\":\"{}\"}}", fake("password", "hunter2")), "{content_type}");
    }
    for (content_type, bytes) in [
        ("application/octet-stream", &b"\x00\x01"[..]),
        ("", b"\xff\xfe\xfd"),
        ("application/x-protobuf", b"text"),
        ("application/pdf", b"%PDF"),
        ("image/png", b"x"),
    ] {
        assert_eq!(dropped(content_type, bytes), DropReason::UnknownType, "{content_type}");
    }
}

#[test]
fn charsets_come_back_as_they_were() {
    let json = "{\"note\":\"Grüße, ada@example.org\",\"x\":\"é\"}";
    let fresh = json.replace("ada@example.org", &email());
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let utf32 = |text: &str| text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect::<Vec<u8>>();
    let latin1 = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
    let marked = |text: &str| [b"\xff\xfe".to_vec(), utf16(text)].concat();
    type Encode<'f> = &'f dyn Fn(&str) -> Vec<u8>;
    let cases: [(&str, Encode<'_>); 6] = [
        ("application/json; charset=iso-8859-1", &latin1),
        ("application/json; charset=\"UTF-16LE\"", &utf16),
        ("application/json", &utf16),
        ("application/json", &marked),
        ("text/plain; charset=utf-32", &utf32),
        ("application/json", &utf32),
    ];
    for (content_type, encode) in cases {
        let out = REDACTOR.body(content_type, &encode(json)).unwrap().into_inner();
        assert_eq!(out, encode(&fresh), "{content_type}");
    }
    let xml = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>é ada@example.org</a>";
    let out = REDACTOR.body("text/xml", &latin1(xml)).unwrap().into_inner();
    assert_eq!(out, latin1(&xml.replace("ada@example.org", &email())));
    let sneaky: Vec<u8> = "ada@example.org".bytes().flat_map(|b| [b'x', 0, b, 0]).collect();
    assert_eq!(dropped("text/plain; charset=utf-8", &sneaky), DropReason::Unparseable);
}
