//! `prism train`: trains an agent and writes a run folder.

use std::path::PathBuf;
use std::process::ExitCode;

use prism::{Config, Environments, Override, Place, Run, RunError, Screen, Source, Summary};

use crate::arguments::TrainArguments;
use crate::failure::{Failure, code_of};
use crate::signals;

/// What the first signal to stop brings about.
pub const STOPPING: &str = "stopping after this step and saving; once more to quit at once without saving";

/// Trains what `arguments` say: a run for each seed, one after the other.
pub fn run(arguments: TrainArguments) -> Result<ExitCode, Failure> {
    let interrupt = signals::interrupt(STOPPING)?;
    let seeds = arguments.seeds.clone();
    let several = seeds.as_ref().is_some_and(|seeds| seeds.0.len() > 1);
    let seeds: Vec<Option<u64>> = match seeds {
        Some(seeds) => seeds.0.into_iter().map(Some).collect(),
        None => vec![None],
    };
    let games: Vec<Option<&str>> = match &arguments.games {
        Some(games) => games.0.iter().map(|game| Some(game.as_str())).collect(),
        None => vec![None],
    };
    let many = games.len() * seeds.len() > 1;
    let mut planned = Vec::new();
    for game in games {
        for &seed in &seeds {
            let config = config(&arguments, game, seed)?;
            let place = match &arguments.out {
                None => Place::In(PathBuf::from("runs")),
                Some(out) if many => Place::At(out.join(name(&config, several))),
                Some(out) => Place::At(out.clone()),
            };
            planned.push((config, place));
        }
    }
    check(&planned, &arguments)?;
    let mut left = planned.len();
    for (config, place) in planned {
        left -= 1;
        let environments = Environments::of(config.environment(), arguments.roms.as_deref())?;
        let run = Run::new(&config, environments, place)?
            .with_interrupt(interrupt.clone())
            .with_sink(Box::new(Screen::default()))?;
        let summary = go(run)?;
        match interrupt.ending() {
            // Those that are left are not begun.
            Some(ending) if left > 0 => return Ok(code_of(&ending)),
            _ if left == 0 => return Ok(code_of(&summary.ending)),
            _ => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Trains to the end.
pub fn go(run: Run) -> Result<Summary, Failure> {
    let folder = run.folder().path().to_owned();
    run.go().map_err(|error| {
        let folder = folder.display();
        let goes_on = match error {
            // With these settings it would come to the same end.
            RunError::Learning(_) => String::new(),
            _ => format!("; `prism resume {folder}` goes on from the last checkpoint"),
        };
        let more = format!("the weights saved last and a summary are in {folder}{goes_on}");
        Failure::from(error).with_further_remedy(&more)
    })
}

/// Refuses what would stop one of several runs after the hours that those before it take.
fn check(planned: &[(Config, Place)], arguments: &TrainArguments) -> Result<(), Failure> {
    let mut checked: Option<&Config> = None;
    for (config, place) in planned {
        place.check()?;
        // Runs that differ in the seed alone need the same.
        if checked.is_none_or(|checked| checked.environment() != config.environment()) {
            Run::check(config, &Environments::of(config.environment(), arguments.roms.as_deref())?)?;
            checked = Some(config);
        }
    }
    Ok(())
}

fn config(arguments: &TrainArguments, game: Option<&str>, seed: Option<u64>) -> Result<Config, Failure> {
    let source = Source::find(&arguments.preset)?;
    let mut overrides: Vec<Override> =
        arguments.settings.iter().map(|text| Override::parse(text)).collect::<Result<_, _>>()?;
    let mut typed = |flag: &'static str, key: &'static str, value: Option<&str>| {
        overrides.extend(value.map(|value| Override::typed(flag, key, value)));
    };
    typed("--frames", "training.frames", arguments.frames.as_deref());
    typed("--agent-steps", "training.agent_steps", arguments.agent_steps.as_deref());
    typed("--seed", "run.seed", arguments.seed.as_deref());
    typed("--seeds", "run.seed", seed.map(|seed| seed.to_string()).as_deref());
    overrides.extend(game.map(|game| Override::flag("--game", "environment.game", game)));
    overrides.extend(arguments.device.clone().map(|device| Override::flag("--device", "run.device", device)));
    overrides.extend(arguments.pipeline.then(|| Override::flag("--pipeline", "training.pipeline", true)));
    Ok(Config::read(&source, &overrides)?)
}

/// The folder of one of several runs.
fn name(config: &Config, several_seeds: bool) -> String {
    let environment = config.environment().kind.name();
    if several_seeds { format!("{environment}-seed{}", config.run().seed.0) } else { environment.to_owned() }
}
