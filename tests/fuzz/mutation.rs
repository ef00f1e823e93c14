//! Damage to files: what a disk, a cable or an enemy would do, and what parsers are bad at.

use prism_environment::Generator;
use rand::RngExt;

/// Longer inputs are cut: time is better spent on many.
const LONGEST: usize = 1 << 17;

/// Numbers at which lengths, counts and offsets go wrong.
const NUMBERS: [u64; 22] = [
    0,
    1,
    2,
    7,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0xff_ffff,
    0x100_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0xff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// The same for numbers in texts.
const TEXTS: [&str; 22] = [
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "255",
    "256",
    "65536",
    "16777217",
    "1000000000",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e999",
    "-1e999",
    "1e-320",
    "nan",
    "inf",
    "0.5",
];

/// One of `members` with some damage, mostly one of the first so many, which are whole.
pub fn damaged(members: &[Vec<u8>], whole: usize, words: &[&str], generator: &mut Generator) -> Vec<u8> {
    let from = if generator.random_bool(0.6) { &members[..whole] } else { members };
    let mut bytes = pick(from, generator).clone();
    // Mostly one wound, so that whatever else is checked still holds; sometimes many.
    let mut wounds = 1;
    while wounds < 12 && generator.random_bool(0.4) {
        wounds += 1;
    }
    for _ in 0..wounds {
        wound(&mut bytes, members, words, generator);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn wound(bytes: &mut Vec<u8>, members: &[Vec<u8>], words: &[&str], generator: &mut Generator) {
    if bytes.is_empty() {
        bytes.extend(random(generator));
        return;
    }
    match generator.random_range(0..14_u32) {
        0 | 1 => {
            let place = generator.random_range(0..bytes.len());
            bytes[place] ^= 1 << generator.random_range(0..8_u32);
        }
        2 => {
            let place = generator.random_range(0..bytes.len());
            bytes[place] = generator.random();
        }
        3 | 4 => put_number(bytes, generator),
        5 => put_variable_number(bytes, generator),
        6 | 7 => replace_text_number(bytes, generator),
        8 => bytes.truncate(generator.random_range(0..bytes.len())),
        9 => drop(bytes.drain(range(bytes.len(), generator))),
        10 => {
            let copied = bytes[range(bytes.len(), generator)].to_vec();
            insert(bytes, &copied, generator);
        }
        11 => insert(bytes, &random(generator), generator),
        12 if !words.is_empty() => {
            let word = words[generator.random_range(0..words.len())].as_bytes();
            let place = generator.random_range(0..=bytes.len());
            let replaced = if generator.random() { word.len().min(bytes.len() - place) } else { 0 };
            bytes.splice(place..place + replaced, word.iter().copied());
        }
        _ => {
            let other = pick(members, generator);
            let (end, begin) = (generator.random_range(0..=bytes.len()), generator.random_range(0..=other.len()));
            bytes.truncate(end);
            bytes.extend_from_slice(&other[begin..]);
        }
    }
}

/// Writes a number over what is there, in one of the ways in which files have them.
fn put_number(bytes: &mut [u8], generator: &mut Generator) {
    let near = bytes.len() as u64;
    let number = match generator.random_range(0..4_u32) {
        // Lengths that are nearly right.
        0 => near.saturating_add_signed(generator.random_range(-9..=9_i64)),
        _ => pick(&NUMBERS, generator).wrapping_add_signed(generator.random_range(-1..=1_i64)),
    };
    let width = 1 << generator.random_range(0..4_u32);
    let number = if generator.random() {
        number.to_le_bytes()[..width].to_vec()
    } else {
        number.to_be_bytes()[8 - width..].to_vec()
    };
    let place = generator.random_range(0..bytes.len());
    let width = width.min(bytes.len() - place);
    bytes[place..place + width].copy_from_slice(&number[..width]);
}

/// Puts a number of variable length, seven bits a byte, in the place of another.
fn put_variable_number(bytes: &mut Vec<u8>, generator: &mut Generator) {
    let mut number = *pick(&NUMBERS, generator);
    let mut encoded = Vec::new();
    while number >= 0x80 {
        encoded.push(number as u8 | 0x80);
        number >>= 7;
    }
    encoded.push(number as u8);
    let begin = generator.random_range(0..bytes.len());
    let length = 1 + bytes[begin..].iter().take_while(|&&byte| byte >= 0x80).count();
    let end = (begin + length).min(bytes.len());
    bytes.splice(begin..end, encoded);
}

/// Puts a number in the place of one that is written in digits, if there is any.
fn replace_text_number(bytes: &mut Vec<u8>, generator: &mut Generator) {
    let from = generator.random_range(0..bytes.len());
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(begin) = bytes[from..].iter().position(digit).map(|place| from + place) else { return };
    let length = bytes[begin..].iter().take_while(|byte| digit(byte) || **byte == b'.').count();
    bytes.splice(begin..begin + length, pick(&TEXTS, generator).bytes());
}

fn insert(bytes: &mut Vec<u8>, inserted: &[u8], generator: &mut Generator) {
    let place = generator.random_range(0..=bytes.len());
    bytes.splice(place..place, inserted.iter().copied());
}

fn random(generator: &mut Generator) -> Vec<u8> {
    let length = generator.random_range(1..=16_usize);
    (0..length).map(|_| generator.random()).collect()
}

/// A part of so many bytes, mostly a short one.
fn range(length: usize, generator: &mut Generator) -> std::ops::Range<usize> {
    let most = if generator.random_bool(0.8) { 16 } else { length };
    let begin = generator.random_range(0..length);
    begin..(begin + generator.random_range(0..=most)).min(length)
}

fn pick<'a, T>(from: &'a [T], generator: &mut Generator) -> &'a T {
    &from[generator.random_range(0..from.len())]
}
