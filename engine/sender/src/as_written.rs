//! A piece of JSON in the characters that the server wrote: as a float, 100.00 would be sent back as 100.0, and a number
//! of 23 digits as another number.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// What stands at a JSON pointer.
pub fn as_written(text: &[u8], pointer: &str) -> Option<String> {
    let mut at: &RawValue = serde_json::from_slice(text).ok()?;
    for name in pointer.split('/').skip(1) {
        at = within(at, &name.replace("~1", "/").replace("~0", "~"))?;
    }
    Some(at.get().trim().to_string())
}

fn within<'j>(outer: &'j RawValue, name: &str) -> Option<&'j RawValue> {
    if outer.get().trim_start().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(outer.get()).ok()?;
        return items.get(name.parse::<usize>().ok()?).copied();
    }
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(outer.get()).ok()?;
    fields.remove(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_in_its_own_digits() {
        let text = br#" {"a/b": [1, {"~": 100.00 }], "": 1e3, "id": 12345678901234567890123, "id2": -0.0 } "#;
        for (pointer, written) in
            [("/a~1b/1/~0", "100.00"), ("/", "1e3"), ("/id", "12345678901234567890123"), ("/id2", "-0.0")]
        {
            assert_eq!(as_written(text, pointer).as_deref(), Some(written), "{pointer}");
        }
        for nowhere in ["/a~1b/2", "/a~1b/x", "/id/0", "/b"] {
            assert_eq!(as_written(text, nowhere), None, "{nowhere}");
        }
        assert_eq!(as_written(b"2.50\n", "").as_deref(), Some("2.50"));
    }
}
