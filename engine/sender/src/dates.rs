//! Civil dates and day numbers.

/// Days since 1970-01-01 of a civil date (H. Hinnant, "chrono-compatible low-level date algorithms").
pub fn days_of(date: &str) -> Option<i64> {
    let mut fields = date.split('-').map(|field| field.parse::<i64>().ok());
    let (year, month, day) = (fields.next()??, fields.next()??, fields.next()??);
    if fields.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The date (YYYY-MM-DD) so many days after 1970-01-01.
pub fn date_of(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::{date_of, days_of};

    #[test]
    fn days_and_dates_agree_over_four_centuries() {
        for days in (-100_000..100_000).step_by(37) {
            assert_eq!(days_of(&date_of(days)), Some(days));
        }
    }

    #[test]
    fn known_dates_are_right() {
        assert_eq!(days_of("1970-01-01"), Some(0));
        assert_eq!(date_of(20_781), "2026-11-24");
        assert_eq!(date_of(11_016), "2000-02-29");
    }

    #[test]
    fn what_is_no_date_has_no_days() {
        for text in ["", "2026", "2026-13-01", "2026-11-24-1", "today"] {
            assert_eq!(days_of(text), None, "{text}");
        }
    }
}
