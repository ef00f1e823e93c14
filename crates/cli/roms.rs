//! `prism roms`: the games' ROM files.

use std::io::Write;

use prism_environment::{InstallError, InstallProgress, RomLibrary, RomStatus, data_directory, install};

use crate::arguments::{RomsAction, RomsArguments};
use crate::failure::Failure;

/// Does what `arguments` say and writes what there is to know.
pub fn run(arguments: &RomsArguments, output: &mut impl Write) -> Result<(), Failure> {
    let directory = arguments.roms.as_deref();
    match arguments.action {
        RomsAction::Install => {
            let directory = directory.map_or_else(data_directory, |directory| Ok(directory.to_owned()))?;
            let mut written = Ok(());
            let installed = install(&directory, &mut |progress| {
                if let InstallProgress::Downloading { command } = progress {
                    written = writeln!(output, "running {command}");
                }
            })
            .map_err(with_remedy)?;
            written?;
            writeln!(
                output,
                "{} ROM files written to {}, {} were there already",
                installed.written,
                directory.display(),
                installed.kept
            )?;
        }
        RomsAction::List => {
            for RomStatus { game, place } in RomLibrary::locate(directory)?.check() {
                match place {
                    Ok(place) => writeln!(output, "{:<20}{place}", game.name)?,
                    Err(_) => writeln!(output, "{:<20}no ROM file, see `prism roms check`", game.name)?,
                }
            }
        }
        RomsAction::Check => {
            let library = RomLibrary::locate(directory)?;
            let statuses = library.check();
            let bad: Vec<_> = statuses.iter().filter_map(|status| status.place.as_ref().err()).collect();
            for error in &bad {
                writeln!(output, "{error}")?;
            }
            writeln!(output, "{} of {} ROM files are good", statuses.len() - bad.len(), statuses.len())?;
            if !bad.is_empty() {
                let error = anyhow::anyhow!("{} ROM files are missing or damaged", bad.len());
                return Err(Failure::outside(error).with_remedy("run `prism roms install`"));
            }
        }
    }
    Ok(())
}

/// What went wrong and what to do about it.
fn with_remedy(error: InstallError) -> Failure {
    let remedy = match &error {
        InstallError::Unwritable { .. } => "name another directory with --roms DIR",
        InstallError::NoPython => {
            "install Python 3 with pip, or copy your own ROM files to a directory and name it with --roms DIR"
        }
        InstallError::NoPip { .. } => {
            "install it (Debian and Ubuntu: apt install python3-pip; elsewhere: -m ensurepip)"
        }
        InstallError::Download { .. } | InstallError::BadWheel { .. } => {
            "check the network connection and pip's index settings, then run `prism roms install` again"
        }
        _ => return Failure::outside(error),
    };
    Failure::outside(error).with_remedy(remedy)
}
