//! A person with a browser at the console: keeps its cookie and sends the secret of its forms.

use crate::support::Recorder;
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use std::path::Path;

const FORM: &str = "application/x-www-form-urlencoded";

/// Somebody who logged in.
pub struct Visitor {
    pub console: String,
    pub cookie: String,
    client: Client,
}

/// What stands between `before` and the next quote.
fn after(text: &str, before: &str) -> Option<String> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(rest[..rest.find('"')?].to_owned())
}

impl Visitor {
    /// Through a link that `darklaunch token login-link` gives, as the page asks.
    pub async fn by_link(recorder: &Recorder, role: &str) -> Self {
        let made = recorder.cli(&["token", "login-link", "--role", role]);
        let link = String::from_utf8(made.stdout).unwrap();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let asked = client.get(link.trim()).send().await.unwrap().text().await.unwrap();
        let code = after(&asked, "name=\"link\" value=\"").unwrap_or_else(|| panic!("{link}: {asked}"));
        Self::enter(&recorder.console, &format!("link={code}")).await.unwrap()
    }

    /// With a token, as pasted.
    pub async fn by_token(recorder: &Recorder, token: &str) -> Result<Self, Response> {
        Self::enter(&recorder.console, &format!("token={token}")).await
    }

    async fn enter(console: &str, body: &str) -> Result<Self, Response> {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let request = client.post(format!("{console}/login")).header("content-type", FORM).body(body.to_owned());
        let answer = request.send().await.unwrap();
        if answer.status() != StatusCode::SEE_OTHER {
            return Err(answer);
        }
        let set = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = set.split(';').next().unwrap().to_owned();
        Ok(Self { console: console.to_owned(), cookie, client })
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.console)).header("cookie", &self.cookie).send().await.unwrap()
    }

    /// The secret in the forms of a page.
    pub async fn secret(&self, path: &str) -> Option<String> {
        after(&self.get(path).await.text().await.unwrap(), "name=\"csrf\" value=\"")
    }

    /// A form as its page would send it.
    pub async fn post(&self, path: &str, fields: &str) -> Response {
        let secret = self.secret("/login").await.unwrap_or_default();
        self.post_as_is(path, &format!("csrf={secret}&{fields}")).await
    }

    /// A form with these fields and nothing else.
    pub async fn post_as_is(&self, path: &str, fields: &str) -> Response {
        let request = self.client.post(format!("{}{path}", self.console));
        let request = request.header("cookie", &self.cookie).header("content-type", FORM);
        request.body(fields.to_owned()).send().await.unwrap()
    }
}

impl Recorder {
    /// Makes a token as the recorder's user does.
    pub fn token(&self, role: &str, name: &str, more: &[&str]) -> String {
        make_token(self.folder.path(), role, name, more)
    }
}

/// Makes a token for the configuration in a folder.
pub fn make_token(folder: &Path, role: &str, name: &str, more: &[&str]) -> String {
    let args = ["token", "create", "--role", role, "--name", name];
    let made = crate::support::command().args(args).args(more).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}
