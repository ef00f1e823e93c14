//! `prism import`: a policy file of weights that PyTorch saved.

use std::io::Write;

use prism::{Config, Environments, OutputFile, Override, Source};
use prism_model::Weights;

use crate::arguments::ImportArguments;
use crate::failure::Failure;

/// Writes the policy file.
pub fn run(arguments: &ImportArguments, output: &mut impl Write) -> Result<(), Failure> {
    let target = OutputFile::new(&arguments.out, "safetensors")?;
    let named = arguments.file.display();
    let file = std::fs::read(&arguments.file)
        .map_err(|error| Failure::outside(anyhow::Error::new(error).context(format!("cannot read {named}"))))?;
    let mut overrides: Vec<Override> =
        arguments.settings.iter().map(|text| Override::parse(text)).collect::<Result<_, _>>()?;
    overrides.extend(arguments.game.as_deref().map(|game| Override::flag("--game", "environment.game", game)));
    let config = Config::read(&Source::find(&arguments.preset)?, &overrides)?;
    let environments = Environments::of(config.environment(), arguments.roms.as_deref())?;
    let network = prism::imported_network(&config, &environments)?;
    let network = serde_json::to_string(&network).expect("a network configuration is plain data");
    let policy = prism_exchange::from_pytorch(&file, &network).map_err(|error| {
        Failure::outside(anyhow::Error::new(error).context(format!("cannot import {named}")))
            .with_remedy("choose another preset, or change the network with --set, such as --set network.hidden=256")
    })?;
    let weights = Weights::from_bytes(policy, named.to_string())?;
    let policy = prism::imported_policy_file(&config, &environments, weights)?;
    target.write(policy.bytes())?;
    let kind = &config.environment().kind;
    writeln!(output, "{} plays {} (protocol {})", arguments.out.display(), kind.name(), kind.protocol())?;
    Ok(())
}
