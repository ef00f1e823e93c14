//! `prism roms`: the games' ROM files.

use std::io::Write;

use prism_environment::{InstallProgress, RomLibrary, RomStatus, data_directory, install};

use crate::cli::{RomsAction, RomsArguments};

/// Does what `arguments` say and writes what there is to know.
pub fn run(arguments: &RomsArguments, output: &mut impl Write) -> anyhow::Result<()> {
    let directory = arguments.roms.as_deref();
    match arguments.action {
        RomsAction::Install => {
            let directory = directory.map_or_else(data_directory, |directory| Ok(directory.to_owned()))?;
            let mut written = Ok(());
            let installed = install(&directory, &mut |progress| {
                if let InstallProgress::Downloading { command } = progress {
                    written = writeln!(output, "running {command}");
                }
            })?;
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
            for RomStatus { game, file } in RomLibrary::locate(directory)?.check() {
                match file {
                    Ok(path) => writeln!(output, "{:<20}{}", game.name, path.display())?,
                    Err(_) => writeln!(output, "{:<20}no ROM file, see `prism roms check`", game.name)?,
                }
            }
        }
        RomsAction::Check => {
            let library = RomLibrary::locate(directory)?;
            let statuses = library.check();
            let bad: Vec<_> = statuses.iter().filter_map(|status| status.file.as_ref().err()).collect();
            for error in &bad {
                writeln!(output, "{error}")?;
            }
            writeln!(output, "{} of {} ROM files are good", statuses.len() - bad.len(), statuses.len())?;
            anyhow::ensure!(bad.is_empty(), "{} ROM files are missing or damaged: run `prism roms install`", bad.len());
        }
    }
    Ok(())
}
