//! `prism import`: a policy file of weights that PyTorch saved.

use std::io::Write;
use std::path::Path;

use prism::{Config, Environments, OutputFile, Override, Source};
use prism_agent::PolicyError;
use prism_exchange::ImportError;
use prism_model::Weights;

use crate::arguments::ImportArguments;
use crate::failure::Failure;

/// Writes the policy file.
pub fn run(arguments: &ImportArguments, output: &mut impl Write) -> Result<(), Failure> {
    let target = OutputFile::new(&arguments.out, "safetensors")?.apart_from(&arguments.file)?;
    let named = arguments.file.display();
    let file = read(&arguments.file)?;
    let mut overrides: Vec<Override> =
        arguments.settings.iter().map(|text| Override::parse(text)).collect::<Result<_, _>>()?;
    overrides.extend(arguments.game.as_deref().map(|game| Override::flag("--game", "environment.game", game)));
    let config = Config::read(&Source::find(&arguments.preset)?, &overrides)?;
    let environments = Environments::of(config.environment(), arguments.roms.as_deref())?;
    let network = prism::imported_network(&config, &environments)?;
    let network = serde_json::to_string(&network).expect("a network configuration is plain data");
    let policy = prism_exchange::from_pytorch(&file, &network).map_err(|error| {
        let remedy = remedy(&error).map(str::to_owned);
        Failure::outside(anyhow::Error::new(error).context(format!("cannot import {named}"))).with_some_remedy(remedy)
    })?;
    let weights = Weights::from_bytes(policy, named.to_string())?;
    let policy = prism::imported_policy_file(&config, &environments, weights)?;
    target.write(policy.bytes())?;
    let kind = &config.environment().kind;
    writeln!(output, "{} plays {} (protocol {})", arguments.out.display(), kind.name(), kind.protocol())?;
    Ok(())
}

/// Reads the whole of a file that is one.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    /// More than the weights of any network for Atari.
    const MOST: u64 = 2 << 30;
    let cannot = |error: anyhow::Error| Failure::outside(error.context(format!("cannot read {}", path.display())));
    let found = std::fs::metadata(path).map_err(|error| cannot(error.into()))?;
    if !found.is_file() {
        let remedy = "give the file of weights that torch.save or Stable-Baselines3 wrote";
        return Err(cannot(anyhow::anyhow!("it is no file")).with_remedy(remedy));
    }
    if found.len() > MOST {
        return Err(cannot(anyhow::anyhow!("it has {} bytes, more than weights for Atari", found.len())));
    }
    std::fs::read(path).map_err(|error| cannot(error.into()))
}

/// What to do about weights that cannot be imported.
fn remedy(error: &ImportError) -> Option<&'static str> {
    match error {
        ImportError::Network { .. } | ImportError::Torso(_) => {
            Some("choose another preset, or change the network with --set, such as --set network.hidden=256")
        }
        ImportError::Corrupt { .. } => Some("copy the file again, or save the state dict again"),
        ImportError::Policy(PolicyError::Tensor { .. }) => {
            Some("import weights that were saved before training diverged")
        }
        // The others say what is expected.
        _ => None,
    }
}
