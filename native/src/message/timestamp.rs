//! Times as the API tells them: RFC 3339, UTC, milliseconds.

use std::fmt;

const MILLISECONDS_A_DAY: i64 = 86_400_000;

/// A moment of the years 0000-9999, which are those that RFC 3339 can spell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    year: i64,
    month: i64,
    day: i64,
    millisecond: i64,
}

impl Timestamp {
    /// `milliseconds` count from 1970-01-01T00:00:00Z; `None` outside the years 0000-9999.
    #[must_use]
    pub fn from_unix(milliseconds: i64) -> Option<Self> {
        let (year, month, day) = date(milliseconds.div_euclid(MILLISECONDS_A_DAY));
        let millisecond = milliseconds.rem_euclid(MILLISECONDS_A_DAY);
        (0..=9999).contains(&year).then_some(Self { year, month, day, millisecond })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, millisecond } = self;
        let second = millisecond / 1000;
        write!(out, "{year:04}-{month:02}-{day:02}T")?;
        write!(out, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
        write!(out, ".{:03}Z", millisecond % 1000)
    }
}

/// Year, month and day of a day counted from 1970-01-01, by Howard Hinnant's `civil_from_days`.
fn date(days: i64) -> (i64, i64, i64) {
    // Years begin in March there, so that the leap day is the last of a year.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spelled_with_milliseconds() {
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_767_323_045_678, "2026-01-02T03:04:05.678Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from_unix(milliseconds).map(|moment| moment.to_string()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn years_that_need_five_digits_or_a_sign_are_refused() {
        for milliseconds in [253_402_300_800_000, -62_167_219_200_001, i64::MAX, i64::MIN] {
            assert_eq!(Timestamp::from_unix(milliseconds), None);
        }
    }
}
