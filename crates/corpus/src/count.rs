//! Numbers as people read them, in the terminal and on the desktop.

/// With a comma between thousands: `5183` is `5,183`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of a thing: `1 file`, `5,183 files`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (13_600_000, "13,600,000")]
        {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn one_is_no_several() {
        for (number, expected) in [(0, "0 files"), (1, "1 file"), (2000, "2,000 files")] {
            assert_eq!(counted(number, "file", "files"), expected);
        }
    }
}
