//! How far a run has come, from the ends of its files: cheap enough to be asked every second.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::names::{EPISODES, TIMING, TRAIN};

/// Bytes at the end of a table that are read: several rows of the widest.
const TAIL: u64 = 16 * 1024;

/// How far a run has come by what it has written, which may be some seconds old.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunProgress {
    /// Agent steps taken.
    pub agent_steps: u64,
    /// Mean score of the last games, if one ended.
    pub mean_score: Option<f64>,
    /// Agent steps per second of late, if that was measured.
    pub agent_steps_per_second: Option<f64>,
}

#[derive(Deserialize)]
struct EpisodeEnd {
    agent_steps: u64,
    mean_score: f64,
}

#[derive(Deserialize)]
struct UpdateEnd {
    agent_steps: u64,
}

#[derive(Deserialize)]
struct TimingEnd {
    agent_steps: u64,
    agent_steps_per_second: f64,
}

impl RunProgress {
    /// That of the run in the folder at `path`. What is not there, or not whole yet, says nothing.
    pub fn of(path: &Path) -> Self {
        let episode: Option<EpisodeEnd> = last_row(&path.join(EPISODES));
        let update: Option<UpdateEnd> = last_row(&path.join(TRAIN));
        let timing: Option<TimingEnd> = last_row(&path.join(TIMING));
        let steps = [
            episode.as_ref().map(|row| row.agent_steps),
            update.map(|row| row.agent_steps),
            timing.as_ref().map(|row| row.agent_steps),
        ];
        Self {
            agent_steps: steps.into_iter().flatten().max().unwrap_or(0),
            mean_score: episode.map(|row| row.mean_score),
            agent_steps_per_second: timing.map(|row| row.agent_steps_per_second),
        }
    }
}

/// The last complete row of the table at `path`, if there is one that can be read.
fn last_row<Row: DeserializeOwned>(path: &Path) -> Option<Row> {
    let (names, row) = ends(path).ok()??;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(names.as_bytes());
    let names = reader.records().next()?.ok()?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(row.as_bytes());
    reader.records().next()?.ok()?.deserialize(Some(&names)).ok()
}

/// The first and the last complete line of a file that has at least two.
fn ends(path: &Path) -> io::Result<Option<(String, String)>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut read = |from: u64| -> io::Result<String> {
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&mut file).take(TAIL).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let head = read(0)?;
    let Some(first) = head.lines().next() else { return Ok(None) };
    let tail = read(length.saturating_sub(TAIL))?;
    let complete = &tail[..tail.rfind('\n').unwrap_or(0)];
    Ok(complete.rsplit_once('\n').map(|(_, last)| (first.to_owned(), last.to_owned())))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::fs;

    use super::*;

    #[test]
    fn the_last_complete_rows_say_how_far_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(RunProgress::of(folder.path()), RunProgress::default());
        write("episodes.csv", "episode,agent_steps,mean_score\n");
        assert_eq!(RunProgress::of(folder.path()).mean_score, None);
        let mut long = "episode,agent_steps,mean_score\n".to_owned();
        (1..5000).for_each(|number| writeln!(long, "{number},{},{}", 9 * number, -0.5).unwrap());
        write("episodes.csv", &format!("{long}5000,45"));
        write("train.csv", "updates,agent_steps\n1,50000\n");
        write("timing.csv", "agent_steps,agent_steps_per_second\n40000,12.5\n");
        let expected = RunProgress { agent_steps: 50_000, mean_score: Some(-0.5), agent_steps_per_second: Some(12.5) };
        assert_eq!(RunProgress::of(folder.path()), expected);
        fs::remove_file(folder.path().join("train.csv")).unwrap();
        assert_eq!(RunProgress::of(folder.path()).agent_steps, 9 * 4999);
    }
}
