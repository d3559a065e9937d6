//! Which partition a key belongs to: the hash that Kafka's own clients use, so that every tool agrees on where a payer's facts are.

/// The partition of a key: `murmur2(key) & 0x7fffffff` modulo the number of partitions, as in `BuiltInPartitioner.partitionForKey` of
/// Apache Kafka's Java client.
///
/// `partitions` below one counts as one.
pub fn partition_of(key: &str, partitions: i32) -> i32 {
    let positive = murmur2(key.as_bytes()) & 0x7fff_ffff;
    // Both operands are in 0..=i32::MAX, so the remainder is too.
    (positive % partitions.max(1).unsigned_abs()) as i32
}

/// MurmurHash2, 32 bits, with the seed of Apache Kafka (`org.apache.kafka.common.utils.Utils.murmur2`).
pub fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ (data.len() as u32);
    let (blocks, tail) = data.as_chunks::<4>();
    for block in blocks {
        let mut k = u32::from_le_bytes(*block).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    for (place, byte) in tail.iter().enumerate() {
        hash ^= u32::from(*byte) << (8 * place);
    }
    if !tail.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_the_one_of_the_java_client() {
        // Values of UtilsTest.testMurmur2 in Apache Kafka.
        let cases: [(&str, i32); 6] = [
            ("21", -973932308),
            ("foobar", -790332482),
            ("a-little-bit-long-string", -985981536),
            ("a-little-bit-longer-string", -1486304829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
            ("abc", 479470107),
        ];
        for (key, expected) in cases {
            assert_eq!(murmur2(key.as_bytes()) as i32, expected, "{key}");
        }
    }

    #[test]
    fn every_key_has_a_partition_in_range() {
        for n in 0..1000 {
            let partition = partition_of(&format!("default/customer-{n}"), 12);
            assert!((0..12).contains(&partition));
        }
        assert_eq!(partition_of("x", 0), 0);
    }
}
