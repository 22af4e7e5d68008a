//! Requests as bytes: fixed parts laid down once, values written fresh for every arrival.
//!
//! Every value follows from (seed, arrival number), so a run can be repeated whatever its number of workers.

use std::sync::Arc;

use crate::cookies::{Jar, Site};
use crate::dates::{date_of, days_of};
use crate::error::EngineError;
use crate::feed::Feed;
use crate::keyring::Keyring;
use crate::link::{self, followed_by};
use crate::place::{escape, escape_into, Place};
use crate::plan::{refuse, Piece, Plan, Request, Table, Text, Value};
use crate::schedule::hash;
use crate::spelling::{decimal, signed, uuid};
use crate::standing::is_form;
use crate::trace::{trace_of, Trace};
use crate::turns::Turn;

/// Where a request ends, and for whom it is: said twice it would mean something else to each reader.
const OWN_HEADERS: [&str; 3] = ["host", "content-length", "transfer-encoding"];

/// A request ready to be written for any arrival.
#[derive(Debug)]
pub struct Template {
    head: Vec<Part>,
    body: Option<Vec<Part>>,
    fixed_body_len: Option<usize>,
    seed: u64,
}

#[derive(Debug)]
enum Part {
    Fixed(Vec<u8>),
    Int { low: i64, span: u64 },
    Sequence(u64),
    Choice(Vec<Vec<u8>>),
    Csv { feed: Feed, rows: Vec<Vec<u8>> },
    Uuid,
    Token(Vec<Vec<u8>>),
    Captured { name: usize, place: Place },
    Link { name: usize, base_url: String },
    Cookies,
    Key { keyring: Arc<Keyring>, place: Place },
    Traceparent { trace: Trace, salt: u64 },
}

/// For whom a request is written: all its values follow from this.
#[derive(Debug, Clone, Copy, Default)]
pub struct Occasion<'a> {
    /// The arrival's number in the whole run.
    pub number: u64,
    /// Which of the journey's requests this is, repeated ones counted; 0 when there is no journey.
    pub request: u64,
    /// The journey's captured values, in the order of its flow's names.
    pub captured: &'a [Option<String>],
    /// How many arrivals before it took rows in turn.
    pub turn: Turn,
    /// The journey's cookies, and for which site.
    pub cookies: Option<(&'a Jar, &'a Site)>,
}

/// What templates draw on besides the plan.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub tokens: Vec<String>,
    /// The same, where they are renewed.
    pub keyring: Option<Arc<Keyring>>,
    /// Over how many workers a run is spread; 0: not known yet.
    pub workers: u64,
}

impl Template {
    /// Lay down a request's fixed parts. `host` and `base_path` come from the plan's base URL.
    pub fn compile(
        plan: &Plan,
        request: &Request,
        host: &str,
        base_path: &str,
        sources: &Sources,
    ) -> Result<Self, EngineError> {
        let flow = plan.flow_of(request);
        let names = flow.map(|flow| plan.captured_names(flow)).unwrap_or_default();
        let (is_whole, at) = (request.path.len() == 1, format!("request {:?}", request.name));
        let compiler = Compiler { plan, sources, names, is_whole, at };
        // A link has the base path already, where it belongs.
        let base_path = if followed_by(request).is_some() { "" } else { base_path };
        let base_path = compiler.clean(base_path, Place::Path)?;
        let mut head = vec![Part::Fixed(format!("{} {base_path}", request.method).into_bytes())];
        compiler.text(&request.path, Place::Path, &mut head)?;
        head.push(Part::Fixed(format!(" HTTP/1.1\r\nHost: {host}\r\n").into_bytes()));
        for (name, text) in &request.headers {
            compiler.header_name(name)?;
            head.push(Part::Fixed(format!("{name}: ").into_bytes()));
            compiler.text(text, Place::Header, &mut head)?;
            head.push(Part::Fixed(b"\r\n".to_vec()));
        }
        if flow.is_some_and(|flow| flow.cookies) {
            if request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
                return refuse(&compiler.at, "has a Cookie header of its own, and its flow keeps cookies".into());
            }
            head.push(Part::Cookies);
        }
        if let Some((trace, salt)) = trace_of(plan, request) {
            head.push(Part::Fixed(b"traceparent: ".to_vec()));
            head.push(Part::Traceparent { trace, salt });
            head.push(Part::Fixed(b"\r\n".to_vec()));
        }
        let body = match &request.body {
            None => None,
            Some(text) => {
                if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                    head.push(Part::Fixed(b"Content-Type: application/json\r\n".to_vec()));
                }
                let mut parts = Vec::new();
                compiler.text(text, if is_form(request) { Place::Form } else { Place::Body }, &mut parts)?;
                Some(join(parts))
            }
        };
        let fixed_body_len = body.as_deref().and_then(fixed_len);
        Ok(Self { head: join(head), body, fixed_body_len, seed: plan.seed })
    }

    /// Write the request of one arrival. `scratch` keeps its room between calls.
    pub fn write(&self, number: u64, out: &mut Vec<u8>, scratch: &mut Vec<u8>) {
        self.write_for(Occasion { number, ..Occasion::default() }, out, scratch);
    }

    /// Write a request for an occasion.
    pub fn write_for(&self, occasion: Occasion<'_>, out: &mut Vec<u8>, scratch: &mut Vec<u8>) {
        out.clear();
        let mut draw = Draw::new(self.seed, occasion);
        for part in &self.head {
            part.write(&mut draw, out);
        }
        let Some(body) = &self.body else {
            out.extend_from_slice(b"\r\n");
            return;
        };
        if let Some(len) = self.fixed_body_len {
            content_length(len, out);
            for part in body {
                part.write(&mut draw, out);
            }
            return;
        }
        scratch.clear();
        for part in body {
            part.write(&mut draw, scratch);
        }
        content_length(scratch.len(), out);
        out.extend_from_slice(scratch);
    }
}

/// The path in a request that was written, without its query.
pub fn path_written(request: &[u8]) -> &str {
    let path = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    std::str::from_utf8(path).unwrap_or("/")
}

fn content_length(len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Length: ");
    decimal(len as u64, out);
    out.extend_from_slice(b"\r\n\r\n");
}

/// The random numbers of one occasion, and what else its values follow from.
struct Draw<'a> {
    seed: u64,
    occasion: Occasion<'a>,
    random: fastrand::Rng,
}

impl<'a> Draw<'a> {
    fn new(seed: u64, occasion: Occasion<'a>) -> Self {
        let mixed = seed ^ 0x5EED_0F7E_3417;
        // The first request of a journey draws what a request by itself would.
        let mixed = if occasion.request == 0 { mixed } else { hash(mixed, occasion.request) };
        Self { seed, occasion, random: fastrand::Rng::with_seed(hash(mixed, occasion.number)) }
    }
}

impl Part {
    fn write(&self, draw: &mut Draw<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Fixed(bytes) => out.extend_from_slice(bytes),
            Self::Int { low, span } => {
                let drawn = if *span == u64::MAX { draw.random.u64(..) } else { draw.random.u64(0..=*span) };
                signed(low.wrapping_add(drawn as i64), out);
            }
            Self::Sequence(start) => decimal(start.wrapping_add(draw.occasion.number), out),
            Self::Choice(options) => {
                out.extend_from_slice(&options[draw.random.usize(0..options.len())]);
            }
            Self::Csv { feed, rows } => {
                out.extend_from_slice(&rows[feed.row(draw.seed, &draw.occasion, rows.len() as u64)]);
            }
            Self::Traceparent { trace, salt } => {
                trace.write(draw.occasion.number, salt ^ draw.occasion.request, out);
            }
            Self::Uuid => uuid(draw.random.u128(..), out),
            Self::Token(tokens) => {
                out.extend_from_slice(&tokens[(draw.occasion.number % tokens.len() as u64) as usize]);
            }
            Self::Captured { name, place } => {
                if let Some(Some(value)) = draw.occasion.captured.get(*name) {
                    escape_into(value, *place, out);
                }
            }
            Self::Link { name, base_url } => {
                if let Some(Some(link)) = draw.occasion.captured.get(*name) {
                    link::write(link, base_url, out);
                }
            }
            Self::Key { keyring, place } => {
                keyring.with(draw.occasion.number, |token| escape_into(token, *place, out));
            }
            Self::Cookies => {
                if let Some((jar, site)) = draw.occasion.cookies {
                    let path = path_written(out).to_string();
                    jar.write(site, &path, out);
                }
            }
        }
    }
}

struct Compiler<'a> {
    plan: &'a Plan,
    sources: &'a Sources,
    names: Vec<&'a str>,
    /// Whether its path is one piece.
    is_whole: bool,
    at: String,
}

impl Compiler<'_> {
    fn text(&self, text: &Text, place: Place, parts: &mut Vec<Part>) -> Result<(), EngineError> {
        let mut place = place;
        for piece in text {
            if matches!(piece, Piece::Fixed(fixed) if place == Place::Path && fixed.contains('?')) {
                place = Place::Query;
            }
            parts.push(match piece {
                Piece::Fixed(fixed) => Part::Fixed(self.clean(fixed, place)?.as_bytes().to_vec()),
                Piece::Value(value) => self.value(value, place)?,
            });
        }
        Ok(())
    }

    fn value(&self, value: &Value, place: Place) -> Result<Part, EngineError> {
        Ok(match value {
            Value::RandomInt(low, high) if low <= high => Part::Int { low: *low, span: high.wrapping_sub(*low) as u64 },
            Value::RandomInt(low, high) => return refuse(&self.at, format!("random_int: {low} is above {high}")),
            Value::Sequence(start) => Part::Sequence(*start),
            Value::Choice(options) => Part::Choice(self.each(options, place, "choice")?),
            Value::Date(low, high) => Part::Choice(self.dates(*low, *high)?),
            Value::Csv(table, column) => self.column(table, column, place)?,
            Value::CsvPath(table, column) if place == Place::Path && self.is_whole => {
                self.column(table, column, Place::WholePath)?
            }
            Value::CsvPath(..) => return refuse(&self.at, "a column of paths is not the whole of a path".into()),
            Value::Uuid(()) => Part::Uuid,
            Value::Token(()) if self.plan.login.is_none() => {
                return refuse(&self.at, "uses a token, but the plan has no login".into())
            }
            // Before the login there are none; a plan is still checked whole.
            Value::Token(()) if self.sources.tokens.is_empty() => Part::Token(vec![Vec::new()]),
            Value::Token(()) => match &self.sources.keyring {
                Some(keyring) => Part::Key { keyring: Arc::clone(keyring), place },
                None => Part::Token(self.each(&self.sources.tokens, place, "token")?),
            },
            Value::Captured(name) => Part::Captured { name: self.captured(name)?, place },
            Value::Link(name) if place == Place::Path && self.is_whole => {
                Part::Link { name: self.captured(name)?, base_url: self.plan.base_url.clone() }
            }
            Value::Link(name) => return refuse(&self.at, format!("the link {name:?} is not the whole of a path")),
        })
    }

    fn captured(&self, name: &str) -> Result<usize, EngineError> {
        match self.names.iter().position(|known| *known == name) {
            Some(at) => Ok(at),
            None => refuse(&self.at, format!("uses {name:?}, which no step of its flow captures")),
        }
    }

    fn each(&self, options: &[String], place: Place, what: &str) -> Result<Vec<Vec<u8>>, EngineError> {
        if options.is_empty() {
            return refuse(&self.at, format!("{what} has nothing to choose from"));
        }
        options.iter().map(|option| Ok(escape(self.clean(option, place)?, place))).collect()
    }

    fn column(&self, name: &str, column: &str, place: Place) -> Result<Part, EngineError> {
        let Some((index, table)) = self.plan.tables.iter().enumerate().find(|(_, table)| table.name == name) else {
            return refuse(&self.at, format!("there is no table {name:?}"));
        };
        let Some(cells) = cells_of(table, column) else {
            return refuse(&self.at, format!("table {name:?} has no column {column:?}"));
        };
        if let Some((row, why)) = Feed::misplaced(&cells, place) {
            return refuse(&self.at, format!("table {name:?}, row {row}: {column:?} {why}"));
        }
        let feed = Feed::of(self.plan, index, self.sources.workers).or_else(|what| refuse(&self.at, what))?;
        Ok(Part::Csv { feed, rows: self.each(&cells, place, "csv")? })
    }

    fn dates(&self, low: i64, high: i64) -> Result<Vec<Vec<u8>>, EngineError> {
        if low > high || high - low > 36_600 {
            return refuse(&self.at, format!("date: {low} to {high} days is no usable range"));
        }
        let Some(today) = days_of(&self.plan.run_date) else {
            return refuse("run_date", format!("{:?} is not YYYY-MM-DD", self.plan.run_date));
        };
        Ok((low..=high).map(|days| date_of(today + days).into_bytes()).collect())
    }

    fn header_name(&self, name: &str) -> Result<(), EngineError> {
        if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return refuse(&self.at, format!("has a header {name:?}, which the engine writes itself"));
        }
        let is_token =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if is_token {
            return Ok(());
        }
        refuse(&self.at, format!("{name:?} is no header name"))
    }

    /// A line break in a path or header would be a second request in the first one's clothes.
    fn clean<'t>(&self, text: &'t str, place: Place) -> Result<&'t str, EngineError> {
        if matches!(place, Place::Path | Place::WholePath | Place::Query | Place::Header)
            && text.chars().any(char::is_control)
        {
            return refuse(&self.at, "a control character stands in a path or header".into());
        }
        Ok(text)
    }
}

fn cells_of(table: &Table, column: &str) -> Option<Vec<String>> {
    let at = table.columns.iter().position(|name| name == column)?;
    table.rows.iter().map(|row| row.get(at).cloned()).collect()
}

fn fixed_len(parts: &[Part]) -> Option<usize> {
    parts.iter().try_fold(0, |len, part| match part {
        Part::Fixed(bytes) => Some(len + bytes.len()),
        Part::Uuid => Some(len + 36),
        Part::Choice(options) if options.iter().all(|option| option.len() == options[0].len()) => {
            Some(len + options[0].len())
        }
        _ => None,
    })
}

fn join(parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(Part::Fixed(before)), Part::Fixed(bytes)) => before.extend(bytes),
            (_, part) => joined.push(part),
        }
    }
    joined
}
