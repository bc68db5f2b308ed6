//! Random UUIDs.

/// How a UUID is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UuidForm {
    /// 32 lower-case digits.
    Simple,
    /// Lower case with hyphens.
    #[default]
    LowerCaseHyphenated,
    /// Upper case with hyphens.
    UpperCaseHyphenated,
    /// `urn:uuid:` and lower case with hyphens.
    Urn,
}

impl UuidForm {
    const ALL: [Self; 4] = [
        Self::Simple,
        Self::LowerCaseHyphenated,
        Self::UpperCaseHyphenated,
        Self::Urn,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::LowerCaseHyphenated => "lower-case-hyphenated",
            Self::UpperCaseHyphenated => "upper-case-hyphenated",
            Self::Urn => "URN",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Writes 128 random bits as a UUID of version 4.
    pub(super) fn write(self, high: u64, low: u64) -> String {
        let high = high & !0xf000 | 0x4000;
        let low = low & !(0b11 << 62) | (0b10 << 62);
        let digits = format!("{high:016x}{low:016x}");
        if self == Self::Simple {
            return digits;
        }
        let groups = [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ];
        let hyphenated = groups.join("-");
        match self {
            Self::UpperCaseHyphenated => hyphenated.to_uppercase(),
            Self::Urn => format!("urn:uuid:{hyphenated}"),
            _ => hyphenated,
        }
    }
}
