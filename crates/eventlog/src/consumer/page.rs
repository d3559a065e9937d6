//! Sorting a page: which messages are new, which were seen, which wait behind a parked stream, and where a gap stops a partition.
//!
//! Pure: marks in, sorted page out. Everything that is written afterwards follows from it.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::bus::{Message, Place};

/// A stream as one consumer knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey {
    /// The topic that the stream is published on.
    pub topic: String,
    /// The stream's id.
    pub stream: String,
}

impl StreamKey {
    /// The stream that a message belongs to.
    pub fn of(message: &Message) -> Self {
        Self { topic: message.topic.clone(), stream: message.event.stream.clone() }
    }
}

/// How far a stream was seen, and whether it is parked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The last version seen, applied or queued; 0 when none was.
    pub version: u64,
    /// Whether its messages queue behind one that could not be applied.
    pub parked: bool,
}

/// A version, or an offset, that should have come and did not: its partition is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The partition that is held.
    pub place: Place,
    /// The offset of the message that came too early.
    pub offset: i64,
    /// The offset that should have come; the same where it is a version that is missing.
    pub next: i64,
    /// Its stream.
    pub stream: String,
    /// The version that should have come.
    pub expected: u64,
    /// The version that came.
    pub found: u64,
}

/// From which offset to which a partition moves with this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The next offset before the page.
    pub from: i64,
    /// The next offset after the page.
    pub to: i64,
}

/// Why a stream is parked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The partition of the stream.
    pub partition: i32,
    /// The version that could not be applied.
    pub version: u64,
    /// The type of that event.
    pub event_type: String,
    /// Why, for the person who looks.
    pub reason: String,
}

/// A page after sorting.
#[derive(Clone, Debug, Default)]
pub struct Sorted {
    /// New messages, in the order in which they came.
    pub fresh: Vec<Message>,
    /// New messages of parked streams: archived, not applied.
    pub queued: Vec<Message>,
    /// Messages whose version was seen before.
    pub duplicates: u64,
    /// Partitions that cannot go on.
    pub gaps: Vec<Gap>,
    /// How far each partition moves.
    pub moves: BTreeMap<Place, Move>,
    /// The streams that changed, with what to store.
    pub marks: BTreeMap<StreamKey, Mark>,
    /// Streams that this page parks.
    pub parked: BTreeMap<StreamKey, Parked>,
    /// What was known of the streams when the page was sorted. A release that comes between makes it stale.
    pub known: BTreeMap<StreamKey, Mark>,
}

/// Sorts a page. `next` holds the next offset of each partition (absent = 0), `marks` what is stored of the page's streams (absent =
/// never seen). Messages of `trusted` topics, a service's own log, are contiguous by construction and leave no marks unless parked.
pub fn sort(page: Vec<Message>, next: &HashMap<Place, i64>, marks: &HashMap<StreamKey, Mark>, trusted: &HashSet<String>) -> Sorted {
    let mut sorted = Sorted::default();
    let mut held: HashSet<Place> = HashSet::new();
    for message in page {
        let place = message.place();
        let from = next.get(&place).copied().unwrap_or(0);
        let at = sorted.moves.get(&place).map_or(from, |moved| moved.to);
        if held.contains(&place) || message.offset < at {
            continue;
        }
        let key = StreamKey::of(&message);
        let mark = sorted.marks.get(&key).or_else(|| marks.get(&key)).copied().unwrap_or_default();
        let version = message.event.version;
        let trusted = trusted.contains(&message.topic);
        // No topic is compacted and nothing is sent in transactions: offsets have no holes, and a hole is a read that jumped.
        if !trusted && (version > mark.version + 1 || message.offset > at) {
            sorted.gaps.push(Gap {
                place: place.clone(),
                offset: message.offset,
                next: at,
                stream: key.stream,
                expected: mark.version + 1,
                found: version,
            });
            held.insert(place);
            continue;
        }
        sorted.moves.insert(place, Move { from, to: message.offset + 1 });
        sorted.known.entry(key.clone()).or_insert(mark);
        if !trusted && version <= mark.version {
            sorted.duplicates += 1;
            continue;
        }
        if !trusted {
            sorted.marks.insert(key, Mark { version, parked: mark.parked });
        }
        if mark.parked { sorted.queued.push(message) } else { sorted.fresh.push(message) }
    }
    sorted
}

impl Sorted {
    /// Parks a stream from `version` on: its messages leave the fresh ones and queue.
    ///
    /// Does nothing when no fresh message of the stream has that version or a later one.
    pub fn park(&mut self, key: &StreamKey, version: u64, reason: String) -> bool {
        let belongs =
            |message: &Message| message.event.stream == key.stream && message.topic == key.topic && message.event.version >= version;
        let (leaving, staying): (Vec<_>, Vec<_>) = std::mem::take(&mut self.fresh).into_iter().partition(belongs);
        self.fresh = staying;
        let Some((first, last)) = leaving.first().zip(leaving.last()) else {
            return false;
        };
        self.parked.insert(
            key.clone(),
            Parked { partition: first.partition, version: first.event.version, event_type: first.event.event_type.clone(), reason },
        );
        self.marks.insert(key.clone(), Mark { version: last.event.version, parked: true });
        self.queued.extend(leaving);
        true
    }

    /// Whether the page changes nothing at all.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::sample;

    /// `"a3"` is version 3 of stream a; offsets count from 0 on one partition, `t/1@7 a3` says another place.
    fn message(text: &str, index: usize) -> Message {
        let (at, event) = text.split_once(' ').unwrap_or(("", text));
        let (place, offset) = at.split_once('@').unwrap_or(("t/0", ""));
        let (topic, partition) = place.split_once('/').unwrap();
        Message {
            topic: topic.to_string(),
            partition: partition.parse().unwrap(),
            offset: offset.parse().unwrap_or(index as i64),
            event: sample(&event[..1], event[1..].parse().unwrap()),
        }
    }

    fn page(text: &str) -> Vec<Message> {
        text.split(", ").enumerate().map(|(index, text)| message(text, index)).collect()
    }

    /// `"a2 b5p"`: stream a was seen up to 2, b up to 5 and is parked.
    fn marks(text: &str) -> HashMap<StreamKey, Mark> {
        let mark = |word: &str| {
            let key = StreamKey { topic: "t".into(), stream: word[..1].to_string() };
            (key, Mark { version: word[1..].trim_end_matches('p').parse().unwrap(), parked: word.ends_with('p') })
        };
        text.split_whitespace().map(mark).collect()
    }

    fn names(messages: &[Message]) -> String {
        messages.iter().map(|message| format!("{}{}", message.event.stream, message.event.version)).collect::<Vec<_>>().join(" ")
    }

    /// `fresh | queued | duplicates | gaps | next offsets`.
    fn transcript(sorted: &Sorted) -> String {
        let gaps: Vec<String> = sorted.gaps.iter().map(|gap| format!("{}{}!{}", gap.stream, gap.expected, gap.found)).collect();
        let moves: Vec<String> =
            sorted.moves.iter().map(|(place, moved)| format!("{}/{}:{}-{}", place.topic, place.partition, moved.from, moved.to)).collect();
        let (fresh, queued) = (names(&sorted.fresh), names(&sorted.queued));
        format!("{fresh} | {queued} | {} | {} | {}", sorted.duplicates, gaps.join(" "), moves.join(" "))
    }

    #[test]
    fn messages_are_new_seen_queued_or_too_early() {
        let cases = [
            ("a1, b1, a2", "", "a1 b1 a2 |  | 0 |  | t/0:0-3"),
            ("a1, a2, a1, a2, a3", "", "a1 a2 a3 |  | 2 |  | t/0:0-5"),
            ("a3, b1", "a2 b1", "a3 |  | 1 |  | t/0:0-2"),
            ("a1, b2, a2", "", "a1 |  | 0 | b1!2 | t/0:0-1"),
            ("b2, a1", "", " |  | 0 | b1!2 | "),
            ("b2, t/1@0 a1", "", "a1 |  | 0 | b1!2 | t/1:0-1"),
            ("a1, t/0@2 b1, t/0@1 a2", "", "a1 |  | 0 | b1!1 | t/0:0-1"),
            ("a3, b6, a4, b7, b6", "a2p b5", "b6 b7 | a3 a4 | 1 |  | t/0:0-5"),
            ("a4, b1", "a2p", " |  | 0 | a3!4 | "),
            ("t/0@0 a1, t/0@0 a1, t/0@1 a2", "", "a1 a2 |  | 0 |  | t/0:0-2"),
        ];
        for (text, known, expected) in cases {
            let sorted = sort(page(text), &HashMap::new(), &marks(known), &HashSet::new());
            assert_eq!(transcript(&sorted), expected, "{text} after {known}");
        }
    }

    #[test]
    fn what_is_before_the_place_is_not_looked_at() {
        let next = HashMap::from([(Place { topic: "t".into(), partition: 0 }, 2)]);
        let sorted = sort(page("a1, a2, a3"), &next, &marks("a2"), &HashSet::new());
        assert_eq!(transcript(&sorted), "a3 |  | 0 |  | t/0:2-3");
    }

    #[test]
    fn a_trusted_log_is_taken_as_it_is_and_leaves_no_marks() {
        let trusted = HashSet::from(["t".to_string()]);
        let sorted = sort(page("a5, b7"), &HashMap::new(), &marks("b1p"), &trusted);
        assert_eq!((transcript(&sorted).as_str(), sorted.marks.len()), ("a5 | b7 | 0 |  | t/0:0-2", 0));
    }

    #[test]
    fn parking_takes_a_stream_out_from_a_version_on() {
        let mut sorted = sort(page("a1, b1, a2, a3"), &HashMap::new(), &HashMap::new(), &HashSet::new());
        let key = StreamKey { topic: "t".into(), stream: "a".into() };
        assert!(sorted.park(&key, 2, "no".into()));
        assert_eq!(transcript(&sorted), "a1 b1 | a2 a3 | 0 |  | t/0:0-4");
        assert_eq!(sorted.marks[&key], Mark { version: 3, parked: true });
        assert_eq!((sorted.parked[&key].version, sorted.parked[&key].reason.as_str()), (2, "no"));
        assert!(!sorted.park(&key, 9, "no".into()));
    }

    /// A relay may start again from any earlier position, as often as it likes, and pages may end anywhere.
    #[test]
    fn repeated_deliveries_change_nothing() {
        for seed in 1..200_u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut random = |below: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as usize % below
            };
            let log: Vec<String> = (0..40).map(|n| format!("{}{}", ["a", "b", "c"][n % 3], n / 3 + 1)).collect();
            let mut delivered: Vec<&str> = Vec::new();
            let mut at = 0;
            while at < log.len() {
                let end = (at + 1 + random(10)).min(log.len());
                delivered.extend(log[at..end].iter().map(String::as_str));
                at = if end < log.len() { end - random(end.min(6)) } else { end };
            }
            let messages: Vec<Message> = delivered.iter().enumerate().map(|(index, text)| message(text, index)).collect();
            let (mut next, mut known, mut applied) = (HashMap::new(), HashMap::new(), Vec::new());
            let mut rest = messages.as_slice();
            while !rest.is_empty() {
                let (page, later) = rest.split_at((1 + random(9)).min(rest.len()));
                let sorted = sort(page.to_vec(), &next, &known, &HashSet::new());
                assert!(sorted.gaps.is_empty(), "seed {seed}");
                next.extend(sorted.moves.into_iter().map(|(place, moved)| (place, moved.to)));
                known.extend(sorted.marks);
                applied.extend(sorted.fresh.iter().map(|message| format!("{}{}", message.event.stream, message.event.version)));
                rest = later;
            }
            assert_eq!(applied, log, "seed {seed}");
        }
    }
}
