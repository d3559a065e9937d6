//! The 27 federative units.

use core::fmt;
use kernel::Zone;

macro_rules! states {
    ($($name:ident),+) => {
        /// A Brazilian state or the Federal District, by its two letters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the two letters are the name")]
        pub enum State { $($name),+ }

        impl State {
            /// Every state, in the order of the letters.
            pub const ALL: &[State] = &[$(State::$name),+];

            /// The two letters.
            pub fn code(self) -> &'static str {
                match self { $(State::$name => stringify!($name)),+ }
            }
        }
    };
}

states!(AC, AL, AM, AP, BA, CE, DF, ES, GO, MA, MG, MS, MT, PA, PB, PE, PI, PR, RJ, RN, RO, RR, RS, SC, SE, SP, TO);

impl State {
    /// By its two letters in either case; `None` for any other text.
    pub fn named(code: &str) -> Option<Self> {
        State::ALL.iter().copied().find(|state| state.code().eq_ignore_ascii_case(code))
    }

    /// The zone of most of its people.
    pub fn zone(self) -> Zone {
        Zone::of_state(self.code()).unwrap_or(Zone::SAO_PAULO)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
