//! Addresses as they are given: of one server, or of Sentinels that know where it is.
//!
//! No error here quotes any part of an address: it may hold a password.

use ::redis::{
    ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError,
};

/// How an address of Sentinels begins: without TLS and with it, and the scheme of a server that is reached so.
const SENTINELS: [(&str, &str); 2] = [
    ("redis+sentinel://", "redis"),
    ("rediss+sentinel://", "rediss"),
];
/// The port of a Sentinel that says nothing else.
const SENTINEL_PORT: u16 = 26379;

/// What an address leads to.
#[derive(Debug)]
pub(super) enum Destination {
    /// A server.
    Server(ConnectionInfo),
    /// The server that some Sentinels name.
    Sentinels(SentinelGroup),
}

/// Sentinels, and how to get into what they name.
#[derive(Debug)]
pub(super) struct SentinelGroup {
    /// What they call the group of servers whose master is meant.
    pub(super) name: String,
    /// Where they are; at least one, all of one kind.
    pub(super) sentinels: Vec<ConnectionAddr>,
    /// User and password at the Sentinels.
    pub(super) own: RedisConnectionInfo,
    /// User, password and database at the server.
    pub(super) server: RedisConnectionInfo,
}

impl Destination {
    /// User, password and database at the server.
    pub(super) fn login(&self) -> &RedisConnectionInfo {
        match self {
            Self::Server(info) => info.redis_settings(),
            Self::Sentinels(place) => &place.server,
        }
    }

    /// Everything that is connected to by this address itself.
    pub(super) fn addresses(&self) -> Vec<&ConnectionAddr> {
        match self {
            Self::Server(info) => vec![info.addr()],
            Self::Sentinels(place) => place.sentinels.iter().collect(),
        }
    }
}

/// Reads `url`.
///
/// # Errors
/// Why it is no address, in a few words.
pub(super) fn parse(url: &str) -> Result<Destination, &'static str> {
    for (begin, scheme) in SENTINELS {
        if let Some(rest) = url.strip_prefix(begin) {
            return sentinels(rest, scheme).map(Destination::Sentinels);
        }
    }
    (url.into_connection_info())
        .map(Destination::Server)
        .map_err(|error| reason(&error))
}

/// Whether what `url` leads to is reached by TLS; as it is written, whether it can be read or not.
#[must_use]
pub(super) fn has_tls(url: &str) -> bool {
    url.starts_with("rediss://") || url.starts_with("rediss+sentinel://")
}

/// Reads `[USER:PASSWORD@]HOST[:PORT],.../NAME[/DATABASE][?...]`: user and password are those of the server.
fn sentinels(rest: &str, scheme: &str) -> Result<SentinelGroup, &'static str> {
    if rest.contains('#') {
        return Err("a '#' has no place in it (in a password write %23)");
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) => (format!("{login}@"), rest),
        None => (String::new(), rest),
    };
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (name, database) = path.split_once('/').unwrap_or((path, ""));
    if name.is_empty() {
        return Err("it names no master: redis+sentinel://HOST,HOST/NAME");
    }
    // What Sentinels take themselves.
    if !(name.chars()).all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return Err("the name of its master may have letters, digits, '.', '_' and '-'");
    }
    let mut places = Vec::new();
    let mut server = RedisConnectionInfo::default();
    for host in hosts.split(',') {
        if host.is_empty() {
            return Err("one of its Sentinels has no name");
        }
        // Of what stands behind the brackets of an IPv6 address.
        let has_port = host.rsplit(']').next().is_some_and(|end| end.contains(':'));
        let port = if has_port {
            String::new()
        } else {
            format!(":{SENTINEL_PORT}")
        };
        let url = format!("{scheme}://{login}{host}{port}/{database}");
        let info = (url.into_connection_info()).map_err(|error| reason(&error))?;
        server = info.redis_settings().clone();
        places.push(info.addr().clone());
    }
    Ok(SentinelGroup {
        name: name.to_owned(),
        sentinels: places,
        own: own_login(query)?,
        server,
    })
}

/// User and password at the Sentinels themselves, from the query.
fn own_login(query: &str) -> Result<RedisConnectionInfo, &'static str> {
    let (mut user, mut password) = (String::new(), String::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        // In a query these need not be escaped, in front of a host they have to be.
        let escaped = |text: &str| {
            [(":", "%3A"), ("/", "%2F"), ("?", "%3F"), ("@", "%40")]
                .iter()
                .fold(text.to_owned(), |text, (raw, code)| text.replace(raw, code))
        };
        match pair.split_once('=') {
            Some(("sentinel_user", value)) => user = escaped(value),
            Some(("sentinel_pass", value)) => password = escaped(value),
            _ => {
                return Err(
                    "behind its '?' may stand sentinel_user=USER and sentinel_pass=PASSWORD",
                );
            }
        }
    }
    if user.is_empty() && password.is_empty() {
        return Ok(RedisConnectionInfo::default());
    }
    let url = format!("redis://{user}:{password}@sentinel");
    let info = (url.into_connection_info()).map_err(|error| reason(&error))?;
    Ok(info.redis_settings().clone())
}

/// Not the error's own text: it may quote parts of the address.
pub(super) fn reason(error: &RedisError) -> &'static str {
    let text = error.to_string();
    if error.kind() != ErrorKind::InvalidClientConfig {
        "it cannot be read"
    } else if text.contains("database number") {
        "its database is no number"
    } else if text.contains("wildcard") {
        "it names no single machine"
    } else {
        "it cannot be read"
    }
}

/// `url` without what may be a secret: user, password and query.
///
/// It may be no address at all, so it is read carefully: a password with a `#` or `?` in it ends the address early for a
/// reader who knows the rules, and one in the query may hold an `@`. Where either is possible nothing but the scheme is
/// left.
pub(super) fn without_credentials(url: &str) -> String {
    let is_scheme =
        |text: &str| (text.chars()).all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (scheme, rest) = (url.split_once("://"))
        .filter(|(scheme, _)| is_scheme(scheme))
        .unwrap_or(("", url));
    let place = match rest.rsplit_once('@') {
        Some((credentials, _)) if credentials.contains(['?', '#']) => "***",
        Some((_, place)) => place,
        None => rest,
    };
    let place = place.split(['?', '#']).next().unwrap_or_default();
    if scheme.is_empty() {
        place.to_owned()
    } else {
        format!("{scheme}://{place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> SentinelGroup {
        match parse(url) {
            Ok(Destination::Sentinels(place)) => place,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn addresses_of_sentinels_say_where_whose_and_how() {
        let shown = |place: &SentinelGroup| -> Vec<String> {
            place.sentinels.iter().map(ToString::to_string).collect()
        };
        let one = place("redis+sentinel://farm.example/main");
        assert_eq!(shown(&one), ["farm.example:26379"]);
        assert_eq!((one.name.as_str(), one.server.db()), ("main", 0));
        assert_eq!((one.own.username(), one.own.password()), (None, None));
        assert!(matches!(&one.sentinels[0], ConnectionAddr::Tcp(..)));
        let all = place(
            "rediss+sentinel://u:p%40ss@a:1,[::1],[::1]:7,b/my-farm_1.x/3?sentinel_user=s&sentinel_pass=a/b:c@d%3F+",
        );
        assert_eq!(shown(&all), ["a:1", "::1:26379", "::1:7", "b:26379"]);
        assert_eq!((all.name.as_str(), all.server.db()), ("my-farm_1.x", 3));
        let login = |info: &RedisConnectionInfo| {
            let text = |text: Option<&str>| text.map(str::to_owned);
            (text(info.username()), text(info.password()))
        };
        let pair = |user: &str, password: &str| (Some(user.to_owned()), Some(password.to_owned()));
        assert_eq!(login(&all.server), pair("u", "p@ss"));
        assert_eq!(login(&all.own), pair("s", "a/b:c@d?+"));
        let is_checked = |place: &ConnectionAddr| {
            matches!(
                place,
                ConnectionAddr::TcpTls {
                    insecure: false,
                    ..
                }
            )
        };
        assert!(all.sentinels.iter().all(is_checked));
        let alone = place("redis+sentinel://h/m?sentinel_pass=secret");
        assert_eq!(login(&alone.own), (None, Some("secret".to_owned())));
    }

    #[test]
    fn what_is_wrong_with_an_address_of_sentinels_is_said() {
        for (bad, why) in [
            ("redis+sentinel://h", "names no master"),
            ("redis+sentinel://h/", "names no master"),
            ("redis+sentinel://h//1", "names no master"),
            ("redis+sentinel://h/a%20b", "the name of its master"),
            ("redis+sentinel:///m", "no name"),
            ("redis+sentinel://a,,b/m", "no name"),
            ("redis+sentinel://a:x/m", "cannot be read"),
            ("redis+sentinel://0.0.0.0/m", "no single machine"),
            ("redis+sentinel://a/m/x", "database"),
            ("redis+sentinel://a/m/1/2", "database"),
            ("redis+sentinel://a/m?pass=x", "sentinel_pass"),
            ("redis+sentinel://a/m?sentinel_pass", "sentinel_pass"),
            ("rediss+sentinel://a/m#insecure", "'#'"),
            ("redis+sentinel://u:a/b@h/m", "cannot be read"),
        ] {
            let said = parse(bad).map(|_| ()).unwrap_err();
            assert!(said.contains(why), "{bad}: {said}");
        }
    }
}
