//! Exact fractions of a cent, and the one rounding at the end.

use super::ChargeFault;

/// How a fraction becomes cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rounding {
    /// Nearest; a tie away from zero. The default.
    #[default]
    HalfUp,
    /// Nearest; a tie to the even neighbour (NBR 5891).
    HalfEven,
    /// Toward zero.
    Truncated,
}

impl Rounding {
    /// Its name in a policy and in an event.
    pub fn name(self) -> &'static str {
        match self {
            Rounding::HalfUp => "half_up",
            Rounding::HalfEven => "half_even",
            Rounding::Truncated => "truncated",
        }
    }

    /// By its name; `None` for any other text.
    pub fn named(name: &str) -> Option<Self> {
        [Rounding::HalfUp, Rounding::HalfEven, Rounding::Truncated].into_iter().find(|rounding| rounding.name() == name)
    }
}

/// A fraction in lowest terms, denominator above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact {
    numerator: i128,
    denominator: i128,
}

fn gcd(a: i128, b: i128) -> u128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Exact {
    /// Nothing.
    pub const ZERO: Exact = Exact { numerator: 0, denominator: 1 };

    /// A whole number.
    pub fn whole(value: i64) -> Self {
        Self { numerator: i128::from(value), denominator: 1 }
    }

    /// `numerator / denominator`. Errors: [`ChargeFault::TooLarge`] for a denominator below 1 too.
    pub fn ratio(numerator: i128, denominator: i128) -> Result<Self, ChargeFault> {
        if denominator < 1 {
            return Err(ChargeFault::TooLarge);
        }
        let divisor = i128::try_from(gcd(numerator, denominator)).map_err(|_| ChargeFault::TooLarge)?.max(1);
        Ok(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// Sum. Errors: [`ChargeFault::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, ChargeFault> {
        let left = self.numerator.checked_mul(other.denominator);
        let right = other.numerator.checked_mul(self.denominator);
        let numerator = left.zip(right).and_then(|(left, right)| left.checked_add(right)).ok_or(ChargeFault::TooLarge)?;
        Self::ratio(numerator, self.denominator.checked_mul(other.denominator).ok_or(ChargeFault::TooLarge)?)
    }

    /// Product. Errors: [`ChargeFault::TooLarge`].
    pub fn times(self, other: Self) -> Result<Self, ChargeFault> {
        // Cancelled crosswise first, so that what fits in the end also fits on the way.
        let left = Self::ratio(self.numerator, other.denominator)?;
        let right = Self::ratio(other.numerator, self.denominator)?;
        let numerator = left.numerator.checked_mul(right.numerator).ok_or(ChargeFault::TooLarge)?;
        Self::ratio(numerator, left.denominator.checked_mul(right.denominator).ok_or(ChargeFault::TooLarge)?)
    }

    /// As whole cents. Errors: [`ChargeFault::TooLarge`].
    pub fn rounded(self, rounding: Rounding) -> Result<i64, ChargeFault> {
        let (whole, rest) = (self.numerator / self.denominator, self.numerator % self.denominator);
        // The rest is below the denominator, which is far below the limit: twice it may still not fit.
        let double = rest.unsigned_abs().checked_mul(2).ok_or(ChargeFault::TooLarge)?;
        let tie = double.cmp(&self.denominator.unsigned_abs());
        let away = match rounding {
            Rounding::Truncated => false,
            Rounding::HalfUp => tie.is_ge(),
            Rounding::HalfEven => tie.is_gt() || (tie.is_eq() && whole % 2 != 0),
        };
        let rounded = if away { whole + rest.signum() } else { whole };
        i64::try_from(rounded).map_err(|_| ChargeFault::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_where_the_mode_says() {
        for (numerator, half_up, half_even, truncated) in [(5, 3, 2, 2), (7, 4, 4, 3), (-5, -3, -2, -2), (4, 2, 2, 2), (1, 1, 0, 0)] {
            let half = Exact::ratio(numerator, 2).unwrap();
            let all = [Rounding::HalfUp, Rounding::HalfEven, Rounding::Truncated].map(|mode| half.rounded(mode).unwrap());
            assert_eq!(all, [half_up, half_even, truncated], "{numerator}/2");
        }
        assert_eq!(Exact::ratio(1, 0), Err(ChargeFault::TooLarge));
        assert_eq!(Exact::whole(i64::MAX).times(Exact::ratio(i128::MAX, 1).unwrap()), Err(ChargeFault::TooLarge));
        assert_eq!(Rounding::named("half_even"), Some(Rounding::HalfEven));
    }
}
