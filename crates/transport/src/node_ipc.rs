//! Node's IPC channel in JSON mode, as the parent of an unmodified `fork()` script sees it: one JSON text and a newline
//! per message. JSON never contains a raw newline, so splitting on that byte needs to know nothing of UTF-8. What is said
//! here of the protocol is what Node 18 to 26 do.

use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// Names of internal messages begin so and go on.
const INTERNAL: &str = "NODE_";

/// A line grew beyond what may be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message on the channel is longer than {limit} bytes")]
pub struct TooLong {
    limit: usize,
}

/// Cuts what is read from the channel into lines, however it was cut on the way.
pub struct Lines {
    partial: Vec<u8>,
    limit: usize,
}

impl Lines {
    /// `limit`: bytes of the longest line.
    pub fn new(limit: usize) -> Self {
        Lines { partial: Vec::new(), limit }
    }

    /// Takes bytes as they come and appends the lines that are complete, without their ends.
    pub fn push(&mut self, bytes: &[u8], lines: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            self.extend(&rest[..at])?;
            lines.push(std::mem::take(&mut self.partial));
            rest = &rest[at + 1..];
        }
        self.extend(rest)
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.partial.len() + bytes.len() > self.limit {
            return Err(TooLong { limit: self.limit });
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }
}

/// True when the line is a JSON text. Bytes that are no UTF-8 are left to the decoder, which replaces them.
pub fn is_message(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

/// True for messages of Node itself (handles, cluster), which no `'message'` listener ever sees.
pub fn is_internal(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        cmd: Option<Cow<'a, str>>,
    }
    // A list would be read as a `Head` too.
    if line.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return false;
    }
    let Ok(Head { cmd: Some(cmd) }) = serde_json::from_slice(line) else { return false };
    cmd.len() > INTERNAL.len() && cmd.starts_with(INTERNAL)
}

/// True when both are the same message; `text` is what `JSON.stringify` made of one.
pub fn is_same(line: &[u8], text: &str) -> bool {
    // Bytes first: a lone surrogate is the same, but no value to the parser.
    line.trim_ascii() == text.as_bytes()
        || match (serde_json::from_slice::<Value>(line), serde_json::from_str::<Value>(text)) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(parts: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut reader = Lines::new(1 << 20);
        parts.iter().for_each(|part| reader.push(part, &mut lines).unwrap());
        lines
    }

    #[test]
    fn lines_arrive_whole_byte_by_byte_and_several_at_once() {
        let text = "\"grün 🙂\"\n{\"a\":1}\n\nrest".as_bytes();
        let single: Vec<&[u8]> = text.chunks(1).collect();
        let expected: Vec<Vec<u8>> = vec!["\"grün 🙂\"".into(), "{\"a\":1}".into(), Vec::new()];
        assert_eq!(cut(&single), expected);
        assert_eq!(cut(&[text]), expected);
    }

    #[test]
    fn a_line_beyond_the_limit_is_refused_with_and_without_its_end() {
        let mut lines = Vec::new();
        assert_eq!(Lines::new(3).push(b"abc\nabc", &mut lines), Ok(()));
        assert_eq!(Lines::new(3).push(b"abcd", &mut lines), Err(TooLong { limit: 3 }));
        assert_eq!(Lines::new(3).push(b"abcd\n", &mut lines), Err(TooLong { limit: 3 }));
        assert_eq!(lines, [b"abc"]);
    }

    #[test]
    fn what_node_sends_is_a_message_and_garbage_is_none() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        for line in ["1", " null\r", "\"\\ud800\"", "1e400", "{\"__proto__\":1}", &deep] {
            assert!(is_message(line.as_bytes()), "{line:.40}");
        }
        for line in ["", "xx", "undefined", "1 2", "{\"a\":}", "\u{feff}1", "\"a\0\""] {
            assert!(!is_message(line.as_bytes()), "{line}");
        }
        assert!(is_message(b"\"\xff\""), "the decoder replaces it, as Node does");
    }

    #[test]
    fn internal_messages_are_objects_whose_cmd_goes_on_after_its_beginning() {
        assert!(is_internal(br#"{"cmd":"NODE_HANDLE","type":"net.Socket"}"#));
        assert!(is_internal(br#" {"a":[1],"cmd":"NODE_x"}"#));
        for line in [r#"{"cmd":"NODE_"}"#, r#"{"cmd":"node_x"}"#, r#"{"cmd":1}"#, r#"["NODE_x"]"#, r#""NODE_x""#, "{}"]
        {
            assert!(!is_internal(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn messages_are_compared_by_what_they_say() {
        assert!(is_same(br#"{"a":1,"b":[2]}"#, r#"{"b":[2],"a":1}"#));
        assert!(is_same(br#" "ready""#, r#""ready""#));
        assert!(is_same(br#""\ud800""#, r#""\ud800""#));
        assert!(!is_same(br#""ready!""#, r#""ready""#));
        assert!(!is_same(b"xx", r#""ready""#));
    }

    proptest! {
        #[test]
        fn the_cuts_on_the_way_do_not_matter(
            lines in proptest::collection::vec("[^\n]{0,40}", 0..20),
            cuts in proptest::collection::vec(1usize..30, 0..50),
        ) {
            let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
            let mut parts = Vec::new();
            let mut rest = &text[..];
            for at in cuts {
                let (part, more) = rest.split_at(at.min(rest.len()));
                parts.push(part);
                rest = more;
            }
            parts.push(rest);
            let expected: Vec<Vec<u8>> = lines.into_iter().map(String::into_bytes).collect();
            prop_assert_eq!(cut(&parts), expected);
        }

        #[test]
        fn garbage_is_never_more_than_no_message(bytes: Vec<u8>) {
            let mut lines = Vec::new();
            Lines::new(usize::MAX).push(&bytes, &mut lines).unwrap();
            for line in lines {
                let _ = (is_message(&line), is_internal(&line), is_same(&line, "\"ready\""));
            }
        }

        #[test]
        fn every_json_value_is_a_message(text in "[a-z\u{80}-\u{10000}\"\\\\\n]{0,30}", number: f64) {
            let value = serde_json::json!({ "cmd": text, "list": [number, text, null, true] });
            prop_assert!(is_message(value.to_string().as_bytes()));
        }
    }
}
