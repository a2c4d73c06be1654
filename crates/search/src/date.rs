//! Calendar dates as people type them in a query, to seconds since 1970.

/// The first second, in UTC, of a year (`2025`), a month (`2025-06`) or a day
/// (`2025-06-30`); `None` for anything else.
pub(crate) fn first_second(text: &str) -> Option<i64> {
    let mut parts = text.split('-').map(number);
    let year = parts.next()??;
    let month = parts.next().map_or(Some(1), |month| month)?;
    let day = parts.next().map_or(Some(1), |day| day)?;
    let known = (1000..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && parts.next().is_none();
    known.then(|| days_since_1970(year, month, day) * 24 * 60 * 60)
}

fn number(digits: &str) -> Option<i64> {
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Howard Hinnant's `days_from_civil`: years begin in March, so that the leap day
/// comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(first_second(text), expected, "{text:?}");
    }

    #[test]
    fn a_date_is_its_first_second() {
        check("1970", Some(0));
        check("1970-01-02", Some(86_400));
        check("2025-01-01", Some(1_735_689_600));
        check("2025-06", Some(1_748_736_000));
        check("2024-02-29", Some(1_709_164_800));
        check("1969-12-31", Some(-86_400));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["", "soon", "2025-13", "2025-02-29", "2025-1-1-1", "25", "2025-", "+2025", "2025-00"]
        {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,12}") {
            let _ = first_second(&text);
        }

        #[test]
        fn days_follow_each_other(year in 1000i64..9999, month in 1i64..13) {
            let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            prop_assert_eq!(
                days_since_1970(year, month, days_in(year, month)) + 1,
                days_since_1970(next.0, next.1, 1)
            );
        }
    }
}
