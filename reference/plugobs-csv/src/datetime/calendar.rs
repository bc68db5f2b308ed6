//! Days, months and the point in time that generated dates start from.

/// The days of the week and the months in the only language that this plugin speaks, Monday and January first.
pub(super) const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const NANOS_PER_SECOND: i64 = 1_000_000_000;
pub(super) const NANOS_PER_DAY: i64 = 86_400 * NANOS_PER_SECOND;

/// A point in time in UTC, as the caller's clock gave it; the engine reads no clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Days since 1970-01-01.
    pub(super) day: i64,
    /// Nanoseconds since midnight.
    pub(super) nanos: i64,
}

impl Moment {
    /// Makes a moment of seconds since 1970-01-01T00:00:00Z and the nanoseconds beyond them.
    #[must_use]
    pub fn from_unix(seconds: i64, nanos: u32) -> Self {
        Self {
            day: seconds.div_euclid(86_400),
            nanos: 0,
        }
        .plus_nanos(seconds.rem_euclid(86_400) * NANOS_PER_SECOND + i64::from(nanos))
    }

    pub(super) fn date(self) -> Date {
        Date::from_days(self.day)
    }

    pub(super) fn second_of_day(self) -> i64 {
        self.nanos / NANOS_PER_SECOND
    }

    pub(super) fn nanos_of_second(self) -> i64 {
        self.nanos % NANOS_PER_SECOND
    }

    pub(super) fn plus_nanos(self, nanos: i64) -> Self {
        let total = self.nanos + nanos.rem_euclid(NANOS_PER_DAY);
        Self {
            day: self.day + nanos.div_euclid(NANOS_PER_DAY) + total / NANOS_PER_DAY,
            nanos: total % NANOS_PER_DAY,
        }
    }

    /// The same time some months away; a day that the month lacks becomes its last day.
    pub(super) fn plus_months(self, months: i64) -> Self {
        let date = self.date();
        let months = (date.year * 12 + date.month - 1).saturating_add(months);
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        let day = date.day.min(days_in_month(year, month));
        Self {
            day: Date { year, month, day }.to_days(),
            ..self
        }
    }
}

/// A day of the Gregorian calendar, carried back before its introduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

impl Date {
    /// Counts in years that begin in March, so that the leap day is a year's last day.
    pub(super) fn to_days(self) -> i64 {
        let year = if self.month <= 2 {
            self.year - 1
        } else {
            self.year
        };
        let month_from_march = (self.month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + self.day - 1;
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        year * 365 + leap_days + day_of_year - DAYS_TO_EPOCH
    }

    pub(super) fn from_days(days: i64) -> Self {
        let days = days.saturating_add(DAYS_TO_EPOCH);
        let (cycle, day_of_cycle) = (
            days.div_euclid(DAYS_PER_CYCLE),
            days.rem_euclid(DAYS_PER_CYCLE),
        );
        let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
            - day_of_cycle / 146_096)
            / 365;
        let day_of_year =
            day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = (month_from_march + 2) % 12 + 1;
        Self {
            year: cycle * 400 + year_of_cycle + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        }
    }

    /// The index of the day in [`WEEKDAYS`]; 1970-01-01 was a Thursday.
    pub(super) fn weekday(self) -> i64 {
        (self.to_days() + 3).rem_euclid(7)
    }
}

/// From 0000-03-01, where the count begins, to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;
/// The calendar repeats after 400 years.
const DAYS_PER_CYCLE: i64 = 146_097;

pub(super) fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_are_counted_as_known() {
        for (year, month, day, days, weekday) in [
            (1970, 1, 1, 0, 3),
            (1969, 12, 31, -1, 2),
            (2000, 2, 29, 11_016, 1),
            (2000, 3, 1, 11_017, 2),
            (2024, 12, 31, 20_088, 1),
            (1, 1, 1, -719_162, 0),
            (9999, 12, 31, 2_932_896, 4),
        ] {
            let date = Date { year, month, day };
            assert_eq!(date.to_days(), days, "{date:?}");
            assert_eq!(Date::from_days(days), date);
            assert_eq!(date.weekday(), weekday, "{date:?}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut date = Date {
            year: 1,
            month: 1,
            day: 1,
        };
        for days in date.to_days()..=2_932_896 {
            assert_eq!(Date::from_days(days), date);
            assert_eq!(date.to_days(), days);
            date.day += 1;
            if date.day > days_in_month(date.year, date.month) {
                date = Date {
                    day: 1,
                    month: date.month + 1,
                    ..date
                };
            }
            if date.month > 12 {
                date = Date {
                    month: 1,
                    year: date.year + 1,
                    ..date
                };
            }
        }
    }

    #[test]
    fn months_keep_the_day_where_they_can() {
        let moment = Moment::from_unix(1_706_659_200, 0); // 2024-01-31
        let after = |months| {
            let Date { year, month, day } = moment.plus_months(months).date();
            (year, month, day)
        };
        assert_eq!(after(1), (2024, 2, 29));
        assert_eq!(after(13), (2025, 2, 28));
        assert_eq!(after(-1), (2023, 12, 31));
        assert_eq!(after(-12), (2023, 1, 31));
    }

    #[test]
    fn moments_before_the_epoch_have_their_day() {
        let moment = Moment::from_unix(-1, 999_999_999);
        assert_eq!((moment.day, moment.second_of_day()), (-1, 86_399));
        assert_eq!(moment.nanos_of_second(), 999_999_999);
    }
}
