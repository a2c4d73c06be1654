//! JSON as a reader would have it: a value a line, letters instead of their
//! escapes. JSON that is so already stays byte for byte.

use rummage_corpus::{Document, Structure};

/// A longer line was not written for people.
const LONG_LINE_BYTES: usize = 2000;

/// Deeper levels are not moved in further.
const MAX_INDENT: usize = 20;

pub(crate) fn read(text: String) -> Document {
    let is_readable =
        !text.contains("\\u") && text.lines().all(|line| line.len() <= LONG_LINE_BYTES);
    let text = if is_readable { text } else { unfold(&text) };
    Document::plain(text, Structure::Code)
}

/// Needs no sound JSON: it only follows brackets, commas and quotation marks.
fn unfold(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut depth = 0_usize;
    let mut chars = json.chars();
    let mut in_string = false;
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                in_string = !in_string;
                text.push(char);
            }
            '\\' if in_string => escape(&mut chars, &mut text),
            _ if in_string => text.push(char),
            '{' | '[' => {
                text.push(char);
                depth += 1;
                break_line(&mut text, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut text, depth);
                text.push(char);
            }
            ',' => {
                text.push(char);
                break_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            '\n' if depth == 0 => text.push('\n'),
            _ if char.is_whitespace() => {}
            _ => text.push(char),
        }
    }
    text
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', depth.min(MAX_INDENT)));
}

/// What stands behind a backslash in a string.
fn escape(chars: &mut std::str::Chars<'_>, text: &mut String) {
    match chars.next() {
        Some('u') => {
            let first = unit(chars);
            let low = chars.as_str().starts_with("\\u").then(|| {
                let mut ahead = chars.clone();
                ahead.nth(1);
                (unit(&mut ahead), ahead)
            });
            let mut units = vec![first];
            if let Some((low @ 0xdc00..=0xdfff, ahead)) = low
                && (0xd800..0xdc00).contains(&first)
            {
                units.push(low);
                *chars = ahead;
            }
            text.extend(char::decode_utf16(units).map(|char| char.unwrap_or('\u{fffd}')));
        }
        Some('n' | 't' | 'r') => text.push(' '),
        Some(char @ ('"' | '\\')) => text.extend(['\\', char]),
        Some(char) => text.push(char),
        None => {}
    }
}

/// Four hexadecimal digits, as far as they are there.
fn unit(chars: &mut std::str::Chars<'_>) -> u16 {
    let digits = chars.as_str().get(..4);
    match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
        Some(unit) => {
            chars.nth(3);
            unit
        }
        None => 0xfffd,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        assert_eq!(read(json.to_owned()).text, expected, "{json}");
    }

    #[test]
    fn readable_json_stays_as_it_is() {
        check("{\"a\": [1,2],\n \"b\": \"x\"}", "{\"a\": [1,2],\n \"b\": \"x\"}");
    }

    #[test]
    fn escaped_letters_are_written_out() {
        check(
            r#"["Z\u00fcrich", "\ud83d\ude00", "\ud83d", "a\n\"b\""]"#,
            "[\n \"Zürich\",\n \"😀\",\n \"\u{fffd}\",\n \"a \\\"b\\\"\"\n]",
        );
        check(r#"["\u12"#, "[\n \"\u{fffd}12");
    }

    #[test]
    fn a_long_line_becomes_many() {
        let json = format!("{{\"list\":[{}1]}}\n{{}}", "12,".repeat(1000));
        let text = read(json).text;
        assert!(text.starts_with("{\n \"list\": [\n  12,\n  12,"), "{text}");
        assert!(text.ends_with("1\n ]\n}\n{\n \n}") || text.ends_with("}"), "{text}");
        assert!(text.lines().all(|line| line.len() < 20));
    }

    #[test]
    fn depth_costs_nothing() {
        assert!(unfold(&"[".repeat(100_000)).len() < 3_000_000);
    }

    proptest! {
        #[test]
        fn any_text_is_unfolded(text in "([\\[\\]{},:\"\\\\ua-f0-9é]|\\PC){0,80}") {
            unfold(&text);
        }
    }
}
