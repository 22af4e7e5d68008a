//! A journey's cookies, as a browser that visits one site keeps them (RFC 6265).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::dates::days_of;

const MOST_COOKIES: usize = 50;
const LONGEST_COOKIE: usize = 4096;
/// In all: every journey under way has its own, and no server takes a longer header.
const MOST_BYTES: usize = 16 * 1024;
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The one site that all requests go to.
#[derive(Debug, Clone, Default)]
pub struct Site {
    pub host: String,
    pub is_secure: bool,
}

/// The cookies of one journey.
#[derive(Debug, Clone, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
    /// The path of the request under way: where its answer's cookies belong by default.
    path: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    path: String,
    is_secure: bool,
    expires_unix_ms: Option<i64>,
}

impl Cookie {
    fn bytes(&self) -> usize {
        self.name.len() + self.value.len() + self.path.len()
    }
}

impl Jar {
    /// A request is about to be sent to this path.
    pub fn visit(&mut self, path: &str) {
        self.path.clear();
        self.path.push_str(path);
    }

    /// Write the header line that takes the cookies to a path; nothing when there are none.
    pub fn write(&self, site: &Site, path: &str, out: &mut Vec<u8>) {
        self.write_at(now_unix_ms(), site, path, out);
    }

    fn write_at(&self, now_unix_ms: i64, site: &Site, path: &str, out: &mut Vec<u8>) {
        let fits = |cookie: &&Cookie| {
            path_matches(path, &cookie.path)
                && (site.is_secure || !cookie.is_secure)
                && cookie.expires_unix_ms.is_none_or(|at_unix_ms| at_unix_ms > now_unix_ms)
        };
        let mut fitting: Vec<&Cookie> = self.cookies.iter().filter(fits).collect();
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        for (index, cookie) in fitting.iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"Cookie: " } else { b"; " });
            out.extend_from_slice(cookie.name.as_bytes());
            out.push(b'=');
            out.extend_from_slice(cookie.value.as_bytes());
        }
        if !fitting.is_empty() {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Take in the `Set-Cookie` lines of the answer to the last request.
    pub fn take(&mut self, site: &Site, lines: &[String]) {
        let now_unix_ms = now_unix_ms();
        self.cookies.retain(|cookie| cookie.expires_unix_ms.is_none_or(|at_unix_ms| at_unix_ms > now_unix_ms));
        for line in lines {
            let Some(cookie) = read(line, site, &default_path(&self.path), now_unix_ms) else { continue };
            let is_gone = cookie.expires_unix_ms.is_some_and(|at_unix_ms| at_unix_ms <= now_unix_ms);
            let is_it = |there: &Cookie| there.name == cookie.name && there.path == cookie.path;
            let known = self.cookies.iter().position(is_it);
            if let Some(at) = known {
                self.cookies.remove(at);
            }
            if !is_gone && self.has_room_for(&cookie) {
                self.cookies.insert(known.unwrap_or(self.cookies.len()), cookie);
            }
        }
    }

    fn has_room_for(&self, cookie: &Cookie) -> bool {
        let bytes: usize = self.cookies.iter().map(Cookie::bytes).sum();
        self.cookies.len() < MOST_COOKIES && bytes + cookie.bytes() <= MOST_BYTES
    }
}

/// A `Set-Cookie` line as a cookie; one that has expired says that it is gone. None: not for us.
fn read(line: &str, site: &Site, default_path: &str, now_unix_ms: i64) -> Option<Cookie> {
    let mut parts = line.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || line.len() > LONGEST_COOKIE || line.chars().any(char::is_control) {
        return None;
    }
    let (name, value) = (name.to_string(), value.to_string());
    let mut cookie = Cookie { name, value, path: default_path.to_string(), is_secure: false, expires_unix_ms: None };
    let mut age_s: Option<i64> = None;
    for attribute in parts {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "path" if value.starts_with('/') => cookie.path = value.to_string(),
            "path" => cookie.path = default_path.to_string(),
            "domain" if !value.is_empty() && !domain_matches(&site.host, value) => return None,
            "secure" => cookie.is_secure = true,
            "max-age" => age_s = value.parse().ok().or(age_s),
            "expires" => cookie.expires_unix_ms = day_of(value).map(|day_s| day_s * 1000).or(cookie.expires_unix_ms),
            _ => {}
        }
    }
    // Max-Age outweighs Expires.
    cookie.expires_unix_ms =
        age_s.map(|age_s| now_unix_ms.saturating_add(age_s.saturating_mul(1000))).or(cookie.expires_unix_ms);
    Some(cookie)
}

fn domain_matches(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.trim_start_matches('.').to_ascii_lowercase());
    host == domain || host.strip_suffix(&domain).is_some_and(|front| front.ends_with('.'))
}

/// RFC 6265, 5.1.4.
fn path_matches(path: &str, of_cookie: &str) -> bool {
    path.strip_prefix(of_cookie)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || of_cookie.ends_with('/'))
}

/// The directory of a request's path.
fn default_path(path: &str) -> String {
    match path.rfind('/') {
        Some(0) | None => "/".into(),
        Some(at) => path[..at].into(),
    }
}

/// An `Expires` date (unix seconds, UTC), its parts in whatever order and between whatever signs (RFC 6265, 5.1.1).
fn day_of(date: &str) -> Option<i64> {
    let (mut clock, mut day, mut month, mut year): (Option<i64>, Option<u32>, Option<usize>, Option<u32>) =
        Default::default();
    for part in date.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != ':').filter(|part| !part.is_empty()) {
        let number = || part.parse::<u32>().ok();
        match part.len() {
            _ if part.contains(':') => clock = clock.or_else(|| seconds_of(part)),
            1..=2 if day.is_none() => day = number(),
            3.. if month.is_none() && named(part).is_some() => month = named(part),
            2 | 4 => year = year.or_else(number),
            _ => {}
        }
    }
    let year = match year? {
        year @ 0..=69 => year + 2000,
        year @ 70..=99 => year + 1900,
        year => year,
    };
    Some(days_of(&format!("{year:04}-{:02}-{:02}", month?, day?))? * 86_400 + clock?)
}

/// The number of a month, by the first three letters of its name.
fn named(month: &str) -> Option<usize> {
    let first = month.get(..3)?.to_ascii_lowercase();
    Some(MONTHS.iter().position(|known| *known == first)? + 1)
}

fn seconds_of(clock: &str) -> Option<i64> {
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<u32>().ok().map(i64::from));
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    Some(hours * 3600 + minutes * 60 + seconds)
}

fn now_unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn here() -> Site {
        Site { host: "shop.example.com".into(), is_secure: false }
    }

    fn sent(jar: &Jar, site: &Site, path: &str) -> String {
        let mut out = Vec::new();
        jar.write(site, path, &mut out);
        String::from_utf8(out).expect("text")
    }

    fn after(lines: &[&str], path: &str) -> Jar {
        let mut jar = Jar::default();
        jar.visit(path);
        jar.take(&here(), &lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        jar
    }

    #[test]
    fn what_was_set_is_sent_again() {
        let jar = after(&["session=abc; Path=/; HttpOnly", "lang = en ;Path=/"], "/login");
        assert_eq!(sent(&jar, &here(), "/rooms"), "Cookie: session=abc; lang=en\r\n");
        assert_eq!(sent(&Jar::default(), &here(), "/rooms"), "");
    }

    #[test]
    fn a_cookie_stays_below_its_path() {
        let jar = after(&["a=1", "b=2; Path=/shop", "c=3; Path=/"], "/account/login");
        assert_eq!(sent(&jar, &here(), "/account/x"), "Cookie: a=1; c=3\r\n");
        assert_eq!(sent(&jar, &here(), "/shop"), "Cookie: b=2; c=3\r\n");
        assert_eq!(sent(&jar, &here(), "/shopping"), "Cookie: c=3\r\n");
    }

    #[test]
    fn a_later_one_replaces_and_an_expired_one_deletes() {
        let mut jar = after(&["a=1; Path=/", "b=1; Path=/", "c=1; Path=/"], "/");
        let lines = ["a=2; Path=/", "b=; Path=/; Max-Age=0", "c=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"];
        jar.take(&here(), &lines.map(String::from));
        assert_eq!(sent(&jar, &here(), "/"), "Cookie: a=2\r\n");
        jar.take(&here(), &["a=3; Path=/; Expires=Thu, 01-Jan-70 00:00:00 GMT; Max-Age=60".into()]);
        assert_eq!(sent(&jar, &here(), "/"), "Cookie: a=3\r\n", "Max-Age outweighs Expires");
    }

    #[test]
    fn a_cookie_is_sent_until_it_expires_and_no_longer() {
        let jar = after(&["a=1; Path=/; Max-Age=60", "b=2; Path=/; Max-Age=9223372036854775807", "c=3; Path=/"], "/");
        let sent_in = |later_ms: i64| {
            let mut out = Vec::new();
            jar.write_at(now_unix_ms() + later_ms, &here(), "/", &mut out);
            String::from_utf8(out).expect("text")
        };
        assert_eq!(sent_in(59_000), "Cookie: a=1; b=2; c=3\r\n");
        assert_eq!(sent_in(60_001), "Cookie: b=2; c=3\r\n");
        let jar = after(&["a=1; Path=/; Expires=Fri, 31 Dec 2100 23:59:59 GMT"], "/");
        assert_eq!(sent(&jar, &here(), "/"), "Cookie: a=1\r\n");
    }

    #[test]
    fn others_cookies_are_not_taken_and_secure_ones_not_sent_in_the_clear() {
        let jar = after(&["a=1; Domain=evil.test", "b=2; Domain=.example.com; Path=/", "c=3; Secure; Path=/"], "/");
        assert_eq!(sent(&jar, &here(), "/"), "Cookie: b=2\r\n");
        let secure = Site { is_secure: true, ..here() };
        assert_eq!(sent(&jar, &secure, "/"), "Cookie: b=2; c=3\r\n");
    }

    #[test]
    fn dates_are_read_in_the_forms_that_servers_use() {
        for date in [
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wednesday, 21-Oct-15 07:28:00 GMT",
            "Wed Oct 21 07:28:00 2015",
            "21 October 2015 07:28:00",
        ] {
            assert_eq!(day_of(date), Some(1_445_412_480), "{date}");
        }
        assert_eq!(day_of("Thu Jan  1 00:00:01 1970"), Some(1));
        for none in ["soon", "0", "", "21 Oct 2015", "Oct 2015 07:28:00", "21 Foo 2015 07:28:00"] {
            assert_eq!(day_of(none), None, "{none}");
        }
    }

    #[test]
    fn many_long_cookies_are_not_kept_for_every_journey() {
        let long = |index: usize| format!("c{index}={}; Path=/", "x".repeat(4000));
        let mut jar = after(&[], "/");
        jar.take(&here(), &(0..50).map(long).collect::<Vec<_>>());
        assert!(sent(&jar, &here(), "/").len() < MOST_BYTES);
        jar.take(&here(), &["c0=short; Path=/".into(), "c9=short; Path=/".into()]);
        assert!(sent(&jar, &here(), "/").starts_with("Cookie: c0=short; c1=xxx"), "a place that is freed can be taken");
        assert!(sent(&jar, &here(), "/").ends_with("; c9=short\r\n"));
    }

    proptest! {
        #[test]
        fn whatever_a_server_sets_a_request_stays_one_request(lines in prop::collection::vec(".{0,80}", 0..80), path in "/[ -~]{0,20}") {
            let mut jar = Jar::default();
            jar.visit(&path);
            jar.take(&here(), &lines);
            let text = sent(&jar, &here(), &path);
            prop_assert!(text.is_empty() || (text.ends_with("\r\n") && text.lines().count() == 1));
            prop_assert!(!text.trim_end_matches("\r\n").bytes().any(|byte| byte < b' '));
            prop_assert!(jar.cookies.len() <= MOST_COOKIES && text.len() < MOST_BYTES + 4 * MOST_COOKIES);
        }
    }
}
