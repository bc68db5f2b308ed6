//! Random choices from a source that the caller gives.

/// A source of random 64-bit numbers, put to use.
///
/// The engine has no randomness of its own: a process takes it from the system, a component from its host, a test from a
/// fixed sequence.
pub struct Random<'a> {
    source: &'a mut dyn FnMut() -> u64,
}

impl<'a> Random<'a> {
    /// Puts a source to use.
    pub fn new(source: &'a mut dyn FnMut() -> u64) -> Self {
        Self { source }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        (self.source)()
    }

    /// A number from 0 to `bound - 1`; 0 where `bound` is 0.
    ///
    /// The high half of the product needs no second try, and its bias is beyond what a test could notice.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(product >> 64).expect("the high half of 128 bits has 64")
    }

    /// One of the items, or nothing where there are none.
    pub fn pick<'b, T>(&mut self, items: &'b [T]) -> Option<&'b T> {
        let index = self.below(items.len() as u64);
        items.get(usize::try_from(index).unwrap_or(usize::MAX))
    }

    /// A text of so many characters, each one of `alphabet`.
    pub fn text(&mut self, length: usize, alphabet: &str) -> String {
        let bytes = alphabet.as_bytes();
        (0..length)
            .filter_map(|_| self.pick(bytes).copied().map(char::from))
            .collect()
    }
}
