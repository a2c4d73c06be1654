//! RTF as tokens: groups, control words, bytes. It knows no control word but the
//! one that is followed by raw bytes.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    /// `\*`: a reader that does not know the next word passes the group over.
    Optional,
    /// A control word or sign, and its number.
    Word(&'a str, Option<i32>),
    /// Of a text.
    Byte(u8),
}

pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What stands behind a backslash.
    fn control(&mut self) -> Option<Token<'a>> {
        let letters = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if letters > 0 {
            return Some(self.word(letters));
        }
        let (sign, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match sign {
            b'\'' => {
                let (digits, rest) = rest.split_at(rest.len().min(2));
                self.rest = rest;
                let digits = std::str::from_utf8(digits).ok();
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                byte.map_or(Token::Word("", None), Token::Byte)
            }
            b'\\' | b'{' | b'}' => Token::Byte(*sign),
            b'*' => Token::Optional,
            b'~' => Token::Word("~", None),
            b'_' => Token::Word("_", None),
            // A line end behind a backslash is a paragraph's.
            b'\n' | b'\r' => Token::Word("par", None),
            _ => Token::Word("", None),
        })
    }

    fn word(&mut self, letters: usize) -> Token<'a> {
        let (word, rest) = self.rest.split_at(letters);
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = if digits == 0 { 0 } else { sign + digits };
        let (number, rest) = rest.split_at(length);
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        // Both are ASCII.
        let word = std::str::from_utf8(word).unwrap_or_default();
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        if word == "bin" {
            let raw = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
            self.rest = &self.rest[raw.min(self.rest.len())..];
        }
        Token::Word(word, number)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            return match first {
                b'{' => Some(Token::Open),
                b'}' => Some(Token::Close),
                b'\\' => self.control(),
                b'\r' | b'\n' | 0 => continue,
                byte => Some(Token::Byte(*byte)),
            };
        }
    }
}
