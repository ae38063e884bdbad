//! Browsers that came by a printed address: what their cookies say.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::tokens::{Fingerprint, Role, Token};
use crate::limits::MOST_SESSIONS;

/// Everybody who is let in.
pub struct Sessions {
    tokens: Vec<(Fingerprint, Role)>,
    cookies: Mutex<VecDeque<(Fingerprint, Role)>>,
}

impl Sessions {
    /// Nobody yet; whoever has one of these secrets may come.
    #[must_use]
    pub fn new(tokens: Vec<(Fingerprint, Role)>) -> Self {
        Self {
            tokens,
            cookies: Mutex::default(),
        }
    }

    /// What the holder of a token may do.
    #[must_use]
    pub fn role_of_token(&self, token: &str) -> Option<Role> {
        let token = Fingerprint::of(token);
        let known = self.tokens.iter().find(|(known, _)| *known == token);
        known.map(|(_, role)| *role)
    }

    /// The secret of a new cookie for whoever has a token; `None` where that is none.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn exchange(&self, token: &str) -> io::Result<Option<Token>> {
        let Some(role) = self.role_of_token(token) else {
            return Ok(None);
        };
        let cookie = Token::random()?;
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        // Of the same role: watchers, however often they come, put nobody else out.
        let same = cookies.iter().filter(|(_, other)| *other == role);
        if same.count() >= MOST_SESSIONS
            && let Some(first) = cookies.iter().position(|(_, other)| *other == role)
        {
            cookies.remove(first);
        }
        cookies.push_back((cookie.fingerprint(), role));
        Ok(Some(cookie))
    }

    /// What the holder of a cookie may do.
    #[must_use]
    pub fn role(&self, cookie: &str) -> Option<Role> {
        let cookie = Fingerprint::of(cookie);
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let known = cookies.iter().find(|(known, _)| *known == cookie);
        known.map(|(_, role)| *role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_exchanged_for_a_cookie_and_is_none_itself() {
        let token = Token::random().unwrap();
        let sessions = Sessions::new(vec![(token.fingerprint(), Role::Watcher)]);
        let cookie = sessions.exchange(token.text()).unwrap().unwrap();
        assert_eq!(sessions.role(cookie.text()), Some(Role::Watcher));
        assert_eq!(sessions.role(token.text()), None);
        assert!(sessions.exchange(cookie.text()).unwrap().is_none());
        assert!(sessions.exchange("").unwrap().is_none());
        for _ in 0..MOST_SESSIONS {
            sessions.exchange(token.text()).unwrap().unwrap();
        }
        assert_eq!(sessions.role(cookie.text()), None, "the first is forgotten");
    }

    #[test]
    fn watchers_put_no_operator_out() {
        let (operator, watcher) = (Token::random().unwrap(), Token::random().unwrap());
        let sessions = Sessions::new(vec![
            (operator.fingerprint(), Role::Operator),
            (watcher.fingerprint(), Role::Watcher),
        ]);
        let cookie = sessions.exchange(operator.text()).unwrap().unwrap();
        for _ in 0..2 * MOST_SESSIONS {
            sessions.exchange(watcher.text()).unwrap().unwrap();
        }
        assert_eq!(sessions.role(cookie.text()), Some(Role::Operator));
        let kept = sessions.cookies.lock().unwrap().len();
        assert_eq!(kept, MOST_SESSIONS + 1);
    }
}
