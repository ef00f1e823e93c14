//! `prism play`: shows a policy playing.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use prism::play::{PlayedStep, Player, Watching};
use prism::{Config, Environments, Interrupt, OutputFile, Override, RunError, RunPath};
use prism_agent::Policy;
use prism_model::Weights;
use prism_picture::{Canvas, GifWriter, PictureError, PngFolder, TerminalColours, Writer, Y4mWriter};

use crate::arguments::{PlayArguments, Shown};
use crate::failure::{Failure, code_of};
use crate::live::{Terminal, Window};
use crate::overlay::Overlay;
use crate::signals;
use crate::weights;

/// What the first signal to stop brings about.
const STOPPING: &str = "stopping, and keeping what has been shown; once more to quit at once";

/// Emulator frames a second; environments without an emulator are shown at a speed that can be followed.
const FRAMES_PER_SECOND: f64 = 60.0;
const STEPS_PER_SECOND: f64 = 15.0;

/// Plays the games, and shows the one that was asked for.
pub fn run(arguments: &PlayArguments, output: &mut impl Write) -> Result<ExitCode, Failure> {
    let path = RunPath::find(&arguments.run)?;
    let file = path.weights()?;
    let read = weights::read(&file)?;
    let config = config(arguments, &path, &read)?;
    let environments = Environments::of(config.environment(), arguments.roms.as_deref())?;
    let cannot_act =
        |error| Failure::outside(anyhow::Error::new(error).context(format!("{} cannot act", file.display())));
    let policy = Policy::from_bytes(read.bytes()).map_err(cannot_act)?;
    let speed = match config.environment().kind.frame_skip() {
        1 => STEPS_PER_SECOND,
        skip => FRAMES_PER_SECOND / f64::from(skip),
    };
    // What cannot be written is refused before minutes are played.
    let target = Target::new(arguments)?;
    let interrupt = signals::interrupt(STOPPING)?;
    let mut player = Player::new(&config, &environments, policy);

    let mut number = 0;
    if arguments.episodes > 1 {
        let scores = scores(&mut player, arguments.episodes, &interrupt)?;
        let Some(chosen) = choose(&scores, arguments.show) else {
            writeln!(output, "stopped before a game had ended")?;
            return Ok(interrupt.ending().map_or(ExitCode::SUCCESS, |ending| code_of(&ending)));
        };
        number = chosen as u64;
        let listed: Vec<String> = scores.iter().map(f64::to_string).collect();
        writeln!(output, "scores {}; game {} is shown, {} of them", listed.join(", "), number + 1, arguments.show)?;
    }
    let mut show = Show::new(arguments, speed, target.open(speed)?);
    let score = player.play(number, &mut |step| show.step(step, &interrupt))?;
    let (pictures, place) = show.finish()?;
    let seconds = pictures as f64 / speed;
    match &arguments.out {
        Some(out) => writeln!(output, "score {score}, {seconds:.1} s in {}{place}", out.display())?,
        None => writeln!(output, "score {score}")?,
    }
    Ok(interrupt.ending().map_or(ExitCode::SUCCESS, |ending| code_of(&ending)))
}

/// The configuration of the weights, with what was typed over it.
fn config(arguments: &PlayArguments, path: &RunPath, read: &Weights) -> Result<Config, Failure> {
    let source = weights::source(&arguments.run, path, read)?;
    let mut overrides: Vec<Override> =
        arguments.settings.iter().map(|text| Override::parse(text)).collect::<Result<_, _>>()?;
    let set = overrides.iter().any(|given| given.key() == "run.seed");
    let seed = arguments.seed.as_deref().or((!set).then_some("0"));
    overrides.extend(seed.map(|seed| Override::typed("--seed", "run.seed", seed)));
    overrides.extend(arguments.epsilon.map(|epsilon| Override::flag("--epsilon", "evaluation.epsilon", epsilon)));
    Ok(Config::read(&source, &overrides)?)
}

/// Scores of games, as far as they were played before an interrupt.
fn scores(player: &mut Player<'_>, games: u32, interrupt: &Interrupt) -> Result<Vec<f64>, Failure> {
    let mut scores = Vec::new();
    for number in 0..u64::from(games) {
        let stopped = |_: PlayedStep<'_>| -> Result<Watching, RunError> {
            Ok(if interrupt.ending().is_some() { Watching::Stops } else { Watching::GoesOn })
        };
        let score = player.play(number, &mut { stopped })?;
        if interrupt.ending().is_some() {
            break;
        }
        scores.push(score);
    }
    Ok(scores)
}

/// Index of the game to show; of equal scores the first.
fn choose(scores: &[f64], shown: Shown) -> Option<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&one, &other| scores[other].total_cmp(&scores[one]));
    match shown {
        Shown::Best => order.first().copied(),
        Shown::Median => order.get(scores.len() / 2).copied(),
        Shown::Worst => order.last().copied(),
    }
}

/// Where pictures go, checked and not yet written to.
enum Target {
    Gif(PathBuf),
    Y4m(PathBuf),
    Folder(PathBuf),
    Terminal(TerminalColours),
    /// Its title.
    Window(String),
}

impl Target {
    fn new(arguments: &PlayArguments) -> Result<Self, Failure> {
        if arguments.window {
            Window::check()?;
            return Ok(Self::Window(format!("{} - prism", arguments.run.display())));
        }
        let Some(out) = &arguments.out else { return Self::terminal() };
        let extension = out.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("gif") => OutputFile::new(out, "gif").map(|_| Self::Gif(out.clone())).map_err(Failure::from),
            Some("y4m") => OutputFile::new(out, "y4m").map(|_| Self::Y4m(out.clone())).map_err(Failure::from),
            None => Ok(Self::Folder(out.clone())),
            Some(other) => Err(Failure::usage(anyhow::anyhow!(
                "pictures are not written as .{other}: expected a name that ends in .gif or .y4m, or a folder for PNG files"
            ))),
        }
    }

    fn terminal() -> Result<Self, Failure> {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let remedy = "give a file with --out, such as --out game.gif";
        if !io::stdout().is_terminal() {
            return Err(Failure::usage(anyhow::anyhow!("standard output is no terminal")).with_remedy(remedy));
        }
        if variable("TERM") == "dumb" || !variable("NO_COLOR").is_empty() {
            return Err(Failure::usage(anyhow::anyhow!("this terminal shows no colours")).with_remedy(remedy));
        }
        let colours = match variable("COLORTERM").as_str() {
            "truecolor" | "24bit" => TerminalColours::True,
            _ => TerminalColours::Cube,
        };
        Ok(Self::Terminal(colours))
    }

    fn open(self, speed: f64) -> Result<Box<dyn Writer>, Failure> {
        let create = |path: &Path| {
            let failed = |source| PictureError::File { path: path.to_owned(), source };
            File::create(path).map(BufWriter::new).map_err(failed)
        };
        Ok(match self {
            Self::Gif(path) => Box::new(GifWriter::new(create(&path)?, speed)),
            Self::Y4m(path) => Box::new(Y4mWriter::new(create(&path)?, speed)),
            Self::Folder(path) => Box::new(PngFolder::create(path)?),
            Self::Terminal(colours) => Box::new(Terminal::new(colours, speed)),
            Self::Window(title) => Box::new(Window::new(title, speed)),
        })
    }
}

/// Shows one game.
struct Show {
    overlay: Option<Overlay>,
    scale: Option<usize>,
    /// Pictures to be left out at first, and to be shown then.
    skipped: u64,
    most: u64,
    seen: u64,
    writer: Box<dyn Writer>,
    size: Option<[usize; 2]>,
}

impl Show {
    fn new(arguments: &PlayArguments, speed: f64, writer: Box<dyn Writer>) -> Self {
        let pictures = |seconds: f64| (seconds * speed).round() as u64;
        Self {
            overlay: arguments.overlay.then(Overlay::default),
            scale: arguments.scale.map(usize::from),
            skipped: pictures(arguments.from),
            most: arguments.seconds.map_or(u64::MAX, |seconds| pictures(seconds).max(1)),
            seen: 0,
            writer,
            size: None,
        }
    }

    fn step(&mut self, step: PlayedStep<'_>, interrupt: &Interrupt) -> Result<Watching, Failure> {
        self.seen += 1;
        if interrupt.ending().is_some() {
            return Ok(Watching::Stops);
        }
        if self.seen > self.skipped {
            let canvas = self.draw(step);
            self.writer.frame(&canvas)?;
        }
        let shown = self.seen.saturating_sub(self.skipped);
        Ok(if shown >= self.most || !self.writer.is_open() { Watching::Stops } else { Watching::GoesOn })
    }

    /// The game, with what the policy thinks of it to its right.
    fn draw(&mut self, step: PlayedStep<'_>) -> Canvas {
        /// Rows that a picture has about.
        const ROWS: usize = 200;
        let picture = step.picture.as_ref();
        let (columns, rows, aspect) = picture
            .map_or((0, 0, 1.0), |picture| (picture.width, picture.pixels.len() / picture.width, picture.pixel_aspect));
        let scale = self.scale.unwrap_or_else(|| (ROWS / rows.max(1)).max(1));
        let wide = ((scale as f64 * aspect).round() as usize).max(1);
        // A game may have no picture at its end, and the canvas stays as it was.
        let [width, height] = *self.size.get_or_insert([columns * wide, (rows * scale).max(1)]);
        let beside = self.overlay.as_ref().map_or(0, |_| Overlay::WIDTH);
        let height = if beside > 0 { height.max(Overlay::least_height(step.actions.len())) } else { height };
        let mut canvas = Canvas::new((width + beside).max(1), height);
        if let Some(picture) = picture {
            let pixels: Vec<prism_picture::Rgb> =
                picture.pixels.iter().map(|&pixel| prism_picture::Rgb(pixel)).collect();
            canvas.draw([0, (height - (rows * scale).min(height)) / 2], &pixels, columns, [wide, scale]);
        }
        if let Some(overlay) = &mut self.overlay {
            overlay.draw(&mut canvas, width, step);
        }
        canvas
    }

    /// How many pictures there were.
    fn finish(self) -> Result<(u64, &'static str), Failure> {
        self.writer.finish()?;
        let shown = self.seen.saturating_sub(self.skipped);
        Ok((shown, if shown == 0 { ": the game had ended before --from" } else { "" }))
    }
}
