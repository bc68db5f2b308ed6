//! Random numbers.

use crate::random::Random;

const DIGITS: &str = "0123456789";
const DIGITS_BUT_ZERO: &str = "123456789";
pub(super) const HEXADECIMAL: &str = "0123456789ABCDEF";

/// An integer from `min` to `max`, both included.
pub(super) fn integer(min: i64, max: i64, random: &mut Random<'_>) -> i64 {
    match max.abs_diff(min).checked_add(1) {
        Some(count) => min.wrapping_add_unsigned(random.below(count)),
        // The whole range of 64 bits.
        None => random.bits().cast_signed(),
    }
}

/// So many digits with a decimal point among them, or a single digit.
///
/// No zero leads unless the point follows it, so that the value is a number as people write it.
pub(super) fn decimal(digits: usize, random: &mut Random<'_>) -> String {
    if digits < 2 {
        return random.text(digits, DIGITS);
    }
    let whole = 1 + usize::try_from(random.below(digits as u64 - 1)).unwrap_or_default();
    let first = random.text(1, if whole == 1 { DIGITS } else { DIGITS_BUT_ZERO });
    let (rest, fraction) = (
        random.text(whole - 1, DIGITS),
        random.text(digits - whole, DIGITS),
    );
    format!("{first}{rest}.{fraction}")
}
