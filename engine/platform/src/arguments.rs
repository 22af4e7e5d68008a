//! The command line.

use std::fmt;

/// What the program was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    pub config: String,
    pub listen: String,
    pub admin: String,
    pub dies_with_stdin: bool,
}

/// Why the command line makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageError(String);

pub const USAGE: &str =
    "golive-rehearsal --config FILE.json [--listen 127.0.0.1:0] [--admin 127.0.0.1:0] [--die-with-stdin]";

impl fmt::Display for UsageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}. Remedy: {USAGE}", self.0)
    }
}

impl Arguments {
    /// Read the words after the program's name.
    ///
    /// # Errors
    /// A word that is not known, or a value that is missing.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Self, UsageError> {
        let any_port = || "127.0.0.1:0".to_owned();
        let mut arguments =
            Self { config: String::new(), listen: any_port(), admin: any_port(), dies_with_stdin: false };
        while let Some(word) = words.next() {
            let place = match word.as_str() {
                "--config" => &mut arguments.config,
                "--listen" => &mut arguments.listen,
                "--admin" => &mut arguments.admin,
                "--die-with-stdin" => {
                    arguments.dies_with_stdin = true;
                    continue;
                }
                _ => return Err(UsageError(format!("{word:?} is not an option"))),
            };
            *place = words.next().ok_or_else(|| UsageError(format!("{word} needs a value")))?;
        }
        if arguments.config.is_empty() {
            return Err(UsageError("--config is missing".to_owned()));
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, UsageError> {
        Arguments::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_free_port_of_this_machine_is_the_default() {
        assert_eq!(read("--config a.json").expect("complete").listen, "127.0.0.1:0");
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        for (line, word) in [("", "--config"), ("--config", "needs a value"), ("--config a --colour red", "--colour")] {
            assert!(read(line).expect_err("incomplete").to_string().contains(word));
        }
    }
}
