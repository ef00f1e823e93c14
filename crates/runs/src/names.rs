//! Names of the files in the folder of a run.

/// What is needed to run it again; the file by which a folder is known to be a run's.
pub(crate) const CONFIG: &str = "config.toml";
/// What was run.
pub(crate) const MANIFEST: &str = "manifest.json";
/// How it ended.
pub(crate) const SUMMARY: &str = "summary.json";
/// The folder of the state to go on from.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// What the process that writes the run has locked.
pub(crate) const LOCK: &str = ".lock";
/// The file of games that have ended.
pub const EPISODES: &str = "episodes.csv";
/// The file of what the learner did.
pub const TRAIN: &str = "train.csv";
/// The file of evaluations.
pub const EVALUATIONS: &str = "evaluations.csv";
/// The file of speeds.
pub const TIMING: &str = "timing.csv";
/// The file of distributions.
pub const DISTRIBUTIONS: &str = "distributions.csv";

/// The files above: nobody who asks for a table or a picture may have it written over one of them.
pub(crate) const RECORDS: [&str; 8] = [CONFIG, MANIFEST, SUMMARY, EPISODES, TRAIN, EVALUATIONS, TIMING, DISTRIBUTIONS];
