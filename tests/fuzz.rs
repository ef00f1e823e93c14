//! Every parser of bytes from outside, fed with damaged ones.
//!
//! Whatever a file holds, reading it ends with a value or an error: no panic, no hang, no memory out of proportion to the
//! file. A [`Target`] feeds one parser; its seeds are files that the program wrote, which [`mutation`] damages, and
//! [`guard`] watches. An input that is answered as none before it was is damaged further.
//!
//! The tests take a fixed number of inputs, the same each time. `make fuzz SECONDS=600` gives each parser so many seconds
//! (`PRISM_FUZZ_SECONDS`; `PRISM_FUZZ_SEED` for other damage), and says how many inputs that were. An input that breaks a
//! parser goes into its folder in `tests/corpus`, where it is tried first from then on.

mod checkpoints;
mod configuration;
mod corpus;
pub mod guard;
mod mutation;
mod records;
mod roms;
mod states;
mod weights;

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use prism_environment::Seed;
use rand::RngExt;

use self::corpus::Corpus;
use self::guard::Watched;

/// What a parser says: a value was read, or why not, in words.
type Answer = Result<(), String>;

/// Members that are kept beside the seeds, for being answered as none before.
const KEPT: usize = 400;
/// Broken inputs that are looked for before a run ends.
const ENOUGH: usize = 10;

/// A parser of bytes from outside.
struct Target<'a> {
    /// The name of its folder in `tests/corpus`.
    name: &'a str,
    seeds: Vec<Vec<u8>>,
    /// Words of its format.
    words: &'a [&'a str],
    /// Bytes that it may allocate beside a hundred times the input.
    room: usize,
    /// Inputs of a short run.
    inputs: u64,
}

impl Target<'_> {
    /// Feeds seeds and damaged seeds to `parse`.
    ///
    /// # Panics
    /// When the parser panics, with the files of the inputs; and when it refuses a seed, since nothing behind its first
    /// check would be tried.
    fn run(self, mut parse: impl FnMut(&[u8]) -> Answer) {
        let mut broken: Vec<String> = Vec::new();
        let mut watched = Watched::begin(self.name, self.room);
        let mut feed = |input: &[u8], broken: &mut Vec<String>| -> Option<Answer> {
            let answer = watched.during(input, || catch_unwind(AssertUnwindSafe(|| parse(input))));
            answer.map_err(|panic| broken.push(self.keep(input, &guard::message(panic.as_ref())))).ok()
        };
        for seed in &self.seeds {
            if let Some(Err(refusal)) = feed(seed, &mut broken) {
                let remedy = "what is behind this check is not tried. PRISM_WRITE_CORPUS=1 cargo test --release --test prism \
                              corpus writes new seeds";
                panic!("{}: a seed of {} bytes is refused: {refusal}; {remedy}", self.name, seed.len());
            }
        }
        let mut members = self.seeds.clone();
        for regression in corpus::regressions(self.name) {
            feed(&regression, &mut broken);
            members.push(regression);
        }
        let own = members.len();
        let mut known: HashSet<String> = HashSet::new();
        let (mut count, mut accepted) = (0_u64, 0_u64);
        let (seed, end) = (seed(), End::of(self.inputs));
        while !end.is_reached(count) && broken.len() < ENOUGH {
            let mut generator = seed.derive(self.name, count).generator();
            let input = mutation::damaged(&members, own, self.words, &mut generator);
            count += 1;
            let Some(answer) = feed(&input, &mut broken) else { continue };
            accepted += u64::from(answer.is_ok());
            if known.insert(kind_of(&answer)) {
                if members.len() < own + KEPT {
                    members.push(input);
                } else {
                    let place = own + generator.random_range(0..KEPT);
                    members[place] = input;
                }
            }
        }
        let line =
            format!("fuzz: {}: {count} inputs, {accepted} accepted, {} kinds of answers", self.name, known.len());
        guard::say(&line);
        assert!(broken.is_empty(), "{}: {count} inputs, and these break it:\n{}", self.name, broken.join("\n"));
    }

    /// Keeps an input that broke the parser, and says where.
    fn keep(&self, input: &[u8], message: &str) -> String {
        let folder = guard::folder().join("broken").join(self.name);
        fs::create_dir_all(&folder).expect("a folder of the build");
        let path = folder.join(format!("{:016x}", fingerprint(input)));
        fs::write(&path, input).expect("a file of the build");
        format!("{}: {message}", path.display())
    }
}

/// When a run ends.
enum End {
    Inputs(u64),
    At(Instant),
}

impl End {
    fn of(inputs: u64) -> Self {
        match env::var("PRISM_FUZZ_SECONDS") {
            Err(_) => Self::Inputs(inputs),
            Ok(text) => {
                let seconds =
                    text.parse().unwrap_or_else(|_| panic!("PRISM_FUZZ_SECONDS is `{text}`, not whole seconds"));
                Self::At(Instant::now() + Duration::from_secs(seconds))
            }
        }
    }

    fn is_reached(&self, count: u64) -> bool {
        match self {
            Self::Inputs(inputs) => count >= *inputs,
            Self::At(end) => Instant::now() >= *end,
        }
    }
}

fn seed() -> Seed {
    let text = env::var("PRISM_FUZZ_SEED").unwrap_or_else(|_| "1".to_owned());
    Seed(text.parse().unwrap_or_else(|_| panic!("PRISM_FUZZ_SEED is `{text}`, not a whole number")))
}

/// What an answer says besides the numbers and names in it.
fn kind_of(answer: &Answer) -> String {
    let Err(refusal) = answer else { return String::new() };
    let words = refusal.split(|letter: char| !letter.is_ascii_lowercase()).filter(|word| word.len() > 2);
    words.take(12).collect::<Vec<_>>().join(" ")
}

fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// An error with its causes, as one text.
fn words_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A folder for the files that are fed, in memory where the system has such a place.
fn scratch() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder for files")
}

/// Writes seeds anew, on demand.
#[test]
fn corpus_is_written_on_demand() {
    if env::var_os("PRISM_WRITE_CORPUS").is_some() {
        let mut corpus = Corpus::new();
        records::write(&mut corpus);
        weights::write(&mut corpus);
        let said = format!("the corpus has {} bytes", corpus.bytes());
        std::io::stderr().write_all(format!("{said}\n").as_bytes()).expect("a terminal");
        assert!(corpus.bytes() < 300_000, "{said}: make the runs that seeds come from smaller");
    }
}
