//! A small source of randomness that is the same everywhere (SplitMix64).

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Any number below the limit.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("a length fits");
        usize::try_from(self.next() % limit).expect("it is below a length")
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Any number, more often a small one.
    pub fn int(&mut self) -> i64 {
        let shift = u32::try_from(self.below(64)).expect("small");
        let number = i64::from_le_bytes((self.next() >> shift).to_le_bytes());
        if self.below(4) == 0 {
            number.wrapping_neg()
        } else {
            number
        }
    }

    pub fn float(&mut self) -> f64 {
        f64::from_bits(self.next())
    }

    /// Fewer bytes than the limit.
    pub fn bytes(&mut self, limit: usize) -> Vec<u8> {
        (0..self.below(limit)).map(|_| self.byte()).collect()
    }

    /// One of several.
    pub fn choose<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// Changes, removes, repeats or inserts something behind `from`.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>, from: usize) {
        if bytes.len() <= from {
            return;
        }
        let place = from + self.below(bytes.len() - from);
        let end = (place + 1 + self.below(16)).min(bytes.len());
        match self.below(6) {
            0 => bytes[place] = self.byte(),
            1 => bytes[place] ^= 1 << self.below(8),
            2 => drop(bytes.drain(place..end)),
            3 => bytes.insert(place, self.byte()),
            4 => {
                let piece = bytes[place..end].to_vec();
                bytes.splice(place..place, piece);
            }
            _ => bytes.truncate(place),
        }
    }
}
