//! A request's head: whether it was meant for this server, came from its own page, and from somebody who was let in.

use std::net::IpAddr;

use hyper::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::sessions::Sessions;
use super::tokens::Role;

/// What a browser says of where a request comes from.
const SITE: &str = "sec-fetch-site";

/// What a server is known by.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Hosts beside loopback's names, perhaps with a port.
    pub hosts: Vec<String>,
    /// The name of its cookies.
    pub cookie: String,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its host is another one's: a name that was pointed here.
    #[error("this server has no such host; --host names more of them")]
    Host,
    /// It is from nobody who was let in.
    #[error("open the address that the program printed")]
    Stranger,
    /// It comes from another page.
    #[error("requests that do something come from this server's own page, or say its Origin")]
    Origin,
}

impl Refusal {
    /// Its status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Stranger => StatusCode::UNAUTHORIZED,
            Self::Origin => StatusCode::FORBIDDEN,
        }
    }
}

impl Policy {
    /// The host that a request is for.
    ///
    /// # Errors
    /// [`Refusal::Host`] where there is none, more than one, or another server's.
    pub fn host<'a>(&self, head: &'a Parts) -> Result<&'a str, Refusal> {
        let mut hosts = head.headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Refusal::Host);
        };
        let host = host.to_str().map_err(|_| Refusal::Host)?;
        // A whole address in the first line says a host of its own.
        if head
            .uri
            .authority()
            .is_some_and(|other| other.as_str() != host)
        {
            return Err(Refusal::Host);
        }
        let name = name_of(host).ok_or(Refusal::Host)?;
        let is_given =
            |given: &String| given.eq_ignore_ascii_case(host) || given.eq_ignore_ascii_case(name);
        if is_loopback(name) || self.hosts.iter().any(is_given) {
            Ok(host)
        } else {
            Err(Refusal::Host)
        }
    }

    /// What whoever sent this request may do. `acts` where it does something, or listens for long.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, head: &Parts, sessions: &Sessions, acts: bool) -> Result<Role, Refusal> {
        let host = self.host(head)?;
        // Programs say the token itself, which no other page can have a browser say.
        if let Some(token) = bearer(head) {
            return sessions.role_of_token(token).ok_or(Refusal::Stranger);
        }
        let role = self.cookies(head).find_map(|cookie| sessions.role(cookie));
        let role = role.ok_or(Refusal::Stranger)?;
        let is_read = matches!(head.method, Method::GET | Method::HEAD);
        if (acts || !is_read) && !self.is_from_own_page(head, host) {
            return Err(Refusal::Origin);
        }
        Ok(role)
    }

    /// The texts of its own cookies.
    fn cookies<'a>(&self, head: &'a Parts) -> impl Iterator<Item = &'a str> {
        let lines = head.headers.get_all(COOKIE).into_iter();
        let pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        pairs.filter_map(|pair| {
            let (name, text) = pair.trim().split_once('=')?;
            (name == self.cookie).then_some(text)
        })
    }

    /// Whether a browser says so, or whoever else says the right origin. What is said must all be right, and one of both is.
    fn is_from_own_page(&self, head: &Parts, host: &str) -> bool {
        let said = |name: &str| {
            head.headers
                .get_all(name)
                .iter()
                .map(|text| text.to_str().ok())
        };
        let origin = format!("{}://{host}", self.scheme);
        let mut sites = said(SITE).peekable();
        let mut origins = said(ORIGIN.as_str()).peekable();
        let is_said = sites.peek().is_some() || origins.peek().is_some();
        is_said
            && sites.all(|site| site == Some("same-origin"))
            && origins.all(|said| said.is_some_and(|said| said.eq_ignore_ascii_case(&origin)))
    }
}

/// The token that a program says.
fn bearer(head: &Parts) -> Option<&str> {
    let said = head.headers.get(AUTHORIZATION)?;
    Some(said.to_str().ok()?.strip_prefix("Bearer ").unwrap_or(""))
}

/// The name in a host with or without a port; `None` for what is no host.
fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            (&host[..end], &host[end..])
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let port_is_right = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    (port_is_right && !name.is_empty()).then_some(name)
}

fn is_loopback(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::super::tokens::Token;
    use super::*;

    fn head(method: &str, headers: &[(&str, &str)]) -> Parts {
        let request = Request::builder().method(method).uri("/");
        let request = headers.iter().fold(request, |request, (name, text)| {
            request.header(*name, *text)
        });
        request.body(()).unwrap().into_parts().0
    }

    fn policy() -> Policy {
        Policy {
            scheme: "http",
            hosts: vec!["farm.example".to_owned(), "other.example:81".to_owned()],
            cookie: "c".to_owned(),
        }
    }

    #[test]
    fn hosts_are_loopbacks_or_given() {
        for (host, is_right) in [
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("127.0.0.1:8700", true),
            ("127.1.2.3", true),
            ("[::1]:8700", true),
            ("farm.example", true),
            ("farm.example:99", true),
            ("other.example:81", true),
            ("other.example:82", false),
            ("other.example", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("localhost:evil", false),
            ("localhost@evil.example", false),
            ("0.0.0.0:8700", false),
            ("192.168.0.1", false),
            ("", false),
            (":80", false),
            ("[::1", false),
        ] {
            let head = head("GET", &[("host", host)]);
            assert_eq!(policy().host(&head).is_ok(), is_right, "{host}");
        }
        assert_eq!(policy().host(&head("GET", &[])), Err(Refusal::Host));
        let two = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(policy().host(&head("GET", &two)), Err(Refusal::Host));
    }

    #[test]
    fn what_does_something_comes_from_the_page_itself() {
        let token = Token::random().unwrap();
        let sessions = Sessions::new(vec![(token.fingerprint(), Role::Operator)]);
        let cookie = sessions.exchange(token.text()).unwrap().unwrap();
        let cookie = format!("x=1; c={}", cookie.text());
        let check = |method: &str, more: &[(&str, &str)]| {
            let mut headers = vec![("host", "localhost:1"), ("cookie", &*cookie)];
            headers.extend(more);
            policy().check(&head(method, &headers), &sessions, false)
        };
        let (operator, refused) = (Ok(Role::Operator), Err(Refusal::Origin));
        let own = ("origin", "http://localhost:1");
        let site = |site: &'static str| ("sec-fetch-site", site);
        assert_eq!(check("GET", &[]), operator);
        assert_eq!(check("HEAD", &[site("cross-site")]), operator);
        assert_eq!(check("POST", &[]), refused);
        assert_eq!(check("POST", &[own]), operator);
        assert_eq!(check("POST", &[site("same-origin")]), operator);
        assert_eq!(check("POST", &[site("same-origin"), own]), operator);
        for wrong in ["cross-site", "same-site", "none", ""] {
            assert_eq!(check("POST", &[site(wrong)]), refused, "{wrong}");
            assert_eq!(check("POST", &[site(wrong), own]), refused, "{wrong}");
        }
        for wrong in [
            "http://evil.example",
            "https://localhost:1",
            "http://localhost:2",
            "null",
            "",
        ] {
            assert_eq!(check("POST", &[("origin", wrong)]), refused, "{wrong}");
            let both = [("origin", wrong), site("same-origin")];
            assert_eq!(check("POST", &both), refused, "{wrong}");
            assert_eq!(check("POST", &[own, ("origin", wrong)]), refused, "{wrong}");
        }
        let stranger = head("GET", &[("host", "localhost")]);
        assert_eq!(
            policy().check(&stranger, &sessions, false),
            Err(Refusal::Stranger)
        );
    }
}
