//! `prism resume`: goes on with a run where its last checkpoint was taken.

use std::process::ExitCode;

use prism::{Environments, Override, Resumption, Run, Screen};

use crate::arguments::ResumeArguments;
use crate::failure::{Failure, code_of};
use crate::signals;
use crate::train;

/// Goes on with the run that `arguments` name.
pub fn run(arguments: &ResumeArguments) -> Result<ExitCode, Failure> {
    let interrupt = signals::interrupt(train::STOPPING)?;
    let mut changes: Vec<Override> =
        arguments.settings.iter().map(|text| Override::parse(text)).collect::<Result<_, _>>()?;
    let mut typed = |flag: &'static str, key: &'static str, value: Option<&str>| {
        changes.extend(value.map(|value| Override::typed(flag, key, value)));
    };
    typed("--frames", "training.frames", arguments.frames.as_deref());
    typed("--agent-steps", "training.agent_steps", arguments.agent_steps.as_deref());
    changes.extend(arguments.device.clone().map(|device| Override::flag("--device", "run.device", device)));

    let resumption = Resumption::open(&arguments.run, &changes)?;
    let environments = Environments::of(resumption.config().environment(), arguments.roms.as_deref())?;
    let run =
        Run::resume(resumption, environments)?.with_interrupt(interrupt).with_sink(Box::new(Screen::default()))?;
    train::go(run).map(|summary| code_of(&summary.ending))
}
