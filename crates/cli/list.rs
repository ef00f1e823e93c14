//! `prism list`: everything that has a name.

use std::io::{self, Write};

use prism::{EnvironmentKind, presets};
use prism_environment::{GAMES, GROUPS, Protocol};

/// Writes the names.
pub fn print(output: &mut impl Write) -> io::Result<()> {
    writeln!(output, "presets (prism train <preset>):")?;
    let width = presets::ALL.iter().map(|preset| preset.name.len() + 2).max().unwrap_or(0);
    for preset in presets::ALL {
        writeln!(output, "  {:<width$}{}", preset.name, preset.title())?;
        writeln!(output, "  {:<width$}  {}", "", preset.time())?;
    }
    writeln!(output, "\nenvironments (environment.kind):")?;
    for (name, title) in EnvironmentKind::all() {
        writeln!(output, "  {name:<16}{title}")?;
    }
    writeln!(output, "\nprotocols (environment.protocol):")?;
    for protocol in Protocol::ALL {
        writeln!(output, "  {:<16}{}", protocol.name(), protocol.description())?;
    }
    writeln!(output, "\ngroups of games (games of prism sweep):")?;
    for group in GROUPS {
        writeln!(output, "  {:<16}{}", group.name, group.source)?;
    }
    writeln!(output, "\ngames (--game):")?;
    for games in GAMES.chunks(4) {
        let names: String = games.iter().map(|game| format!("  {:<20}", game.name)).collect();
        writeln!(output, "{}", names.trim_end())?;
    }
    Ok(())
}
