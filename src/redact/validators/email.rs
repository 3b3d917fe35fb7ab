//! E-mail addresses: the shape of RFC 5321 that people use, without quoted local parts and address literals.

/// Longest address in bytes: 64 before the sign, 255 after it (RFC 5321, 4.5.3.1).
const ADDRESS_BYTES_MAX: usize = 320;

/// Whether the whole text is one e-mail address. Letters of every script are allowed (RFC 6531).
pub(in crate::redact) fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@').filter(|(_, host)| !is_picture(host)) else { return false };
    let labels_ok = host.split('.').all(|label| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-') && !label.starts_with('-')
    });
    text.len() <= ADDRESS_BYTES_MAX
        && !local.is_empty()
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c))
        && labels_ok
        && host.contains('.')
        && host.rsplit('.').next().is_some_and(|top| top.len() >= 2 && !top.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether what stands behind the sign is the scale of a picture, `2x.png`.
fn is_picture(host: &str) -> bool {
    const PICTURES: [&str; 9] = ["png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "bmp", "ico"];
    host.split_once('.').is_some_and(|(scale, top)| {
        scale.strip_suffix(['x', 'X']).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
            && PICTURES.iter().any(|picture| picture.eq_ignore_ascii_case(top))
    })
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn addresses_have_a_sign_and_a_host() {
        judge(
            Validator::Email,
            &["a+b@example.co.uk", "josé@exämple.de", "o'neil@example.org", "a@b.museum"],
            &["hero@2x.png", "a@b", "@example.org", "pkg@1.2.3", "a b@example.org", "a@-b.org", "a@b..org"],
        );
    }
}
