//! `prism play`: shows a policy playing.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use prism::play::{PlayedStep, Player, Watching};
use prism::{Environments, Interrupt, OutputFile, Part, ProgressLine, RunError, RunPath, StartedFile};
use prism_environment::Picture;
use prism_picture::{Canvas, GifWriter, PictureError, PngFolder, TerminalColours, Writer, Y4mWriter};

use crate::arguments::{Choice, PlayArguments};
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
    let overrides = weights::overrides(&arguments.settings, arguments.seed.as_deref(), arguments.epsilon)?;
    let config = weights::config(&weights::source(&arguments.run, &path, &read)?, &overrides)?;
    let environments = Environments::of(config.environment(), arguments.roms.as_deref())?;
    let policy = weights::policy(&file, &read)?;
    let speed = match config.environment().kind.frame_skip() {
        1 => STEPS_PER_SECOND,
        skip => FRAMES_PER_SECOND / f64::from(skip),
    };
    // What cannot be written is refused before minutes are played.
    let target = Target::new(arguments)?;
    let interrupt = signals::interrupt(STOPPING)?;
    let mut player = Player::new(&config, &environments, policy);

    let (mut number, mut chosen) = (0, None);
    if arguments.episodes > 1 {
        let scores = scores(&mut player, arguments.episodes, &interrupt)?;
        let Some(index) = choose(&scores, arguments.show) else {
            writeln!(output, "stopped before a game had ended")?;
            return Ok(interrupt.ending().map_or(ExitCode::SUCCESS, |ending| code_of(&ending)));
        };
        number = index as u64;
        let listed: Vec<String> = scores.iter().map(f64::to_string).collect();
        chosen = Some(format!("scores {}; game {} is shown, {} of them", listed.join(", "), index + 1, arguments.show));
    }
    let mut show = Show::new(arguments, speed, target.open(speed)?);
    let score = player.play(number, &mut |step| show.step(step, &interrupt))?;
    let Shown { pictures, seen, over } = show.finish()?;
    // Whoever reads what is said may have gone away: it comes after everything else.
    if let Some(chosen) = chosen {
        writeln!(output, "{chosen}")?;
    }
    let score = format!("score {score}{}", if over { "" } else { " so far" });
    let seconds = |pictures: u64| format!("{:.1} s", pictures as f64 / speed);
    match &arguments.out {
        Some(out) if pictures > 0 => writeln!(output, "{score}, {} in {}", seconds(pictures), out.display())?,
        _ => writeln!(output, "{score}")?,
    }
    if let Some(ending) = interrupt.ending() {
        return Ok(code_of(&ending));
    }
    if pictures == 0 {
        let error = anyhow::anyhow!("the game ended after {}, before --from: nothing was shown", seconds(seen));
        return Err(Failure::outside(error).with_remedy("give a smaller --from"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Scores of games, as far as they were played before an interrupt.
fn scores(player: &mut Player<'_>, games: u32, interrupt: &Interrupt) -> Result<Vec<f64>, Failure> {
    let mut line = ProgressLine::new(games.into()).with_time();
    let mut scores = Vec::new();
    for number in 0..u64::from(games) {
        line.draw(number, &[Part::new(0, format!("{number} of {games} games")), line.time_left(1)]);
        let stopped = |_: PlayedStep<'_>| -> Result<Watching, RunError> {
            Ok(if interrupt.requested() { Watching::Stops } else { Watching::GoesOn })
        };
        let score = player.play(number, &mut { stopped })?;
        if interrupt.requested() {
            break;
        }
        scores.push(score);
    }
    line.clear();
    Ok(scores)
}

/// Index of the game to show; of equal scores the first.
fn choose(scores: &[f64], choice: Choice) -> Option<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&one, &other| scores[other].total_cmp(&scores[one]));
    match choice {
        Choice::Best => order.first().copied(),
        Choice::Median => order.get(scores.len() / 2).copied(),
        Choice::Worst => order.last().copied(),
    }
}

/// Where pictures go, checked and not yet written to.
enum Target {
    Gif(OutputFile),
    Y4m(OutputFile),
    Folder(PngFolder),
    Terminal(TerminalColours),
    /// Its title.
    Window(String),
}

/// What takes the pictures, and the file that is kept with them.
struct Opened {
    writer: Box<dyn Writer>,
    file: Option<StartedFile>,
}

impl Target {
    fn new(arguments: &PlayArguments) -> Result<Self, Failure> {
        if arguments.window {
            Window::check()?;
            return Ok(Self::Window(format!("{} - prism", arguments.run.display())));
        }
        let Some(out) = &arguments.out else { return Self::terminal() };
        let file = |extension| OutputFile::new(out, extension);
        let name = out.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match name.rsplit_once('.') {
            _ if out.is_dir() => Ok(Self::Folder(PngFolder::new(out.clone())?)),
            Some((stem, "gif")) if !stem.is_empty() => Ok(Self::Gif(file("gif")?)),
            Some((stem, "y4m")) if !stem.is_empty() => Ok(Self::Y4m(file("y4m")?)),
            None if name != "-" => Ok(Self::Folder(PngFolder::new(out.clone())?)),
            _ => Err(Failure::usage(anyhow::anyhow!(
                "pictures are not written to {}: expected a name that ends in .gif or .y4m, or a folder for PNG files",
                out.display()
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

    fn open(self, speed: f64) -> Result<Opened, Failure> {
        let start = |file: OutputFile| -> Result<_, Failure> {
            let started = file.start()?;
            Ok((BufWriter::new(started.writer()?), Some(started)))
        };
        let (writer, file): (Box<dyn Writer>, _) = match self {
            Self::Gif(file) => {
                let (writer, file) = start(file)?;
                (Box::new(GifWriter::new(writer, speed)), file)
            }
            Self::Y4m(file) => {
                let (writer, file) = start(file)?;
                (Box::new(Y4mWriter::new(writer, speed)), file)
            }
            Self::Folder(folder) => (Box::new(folder), None),
            Self::Terminal(colours) => (Box::new(Terminal::new(colours, speed)), None),
            Self::Window(title) => (Box::new(Window::new(title, speed)), None),
        };
        Ok(Opened { writer, file })
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
    over: bool,
    output: Opened,
    /// Where the output goes, for errors.
    name: Option<PathBuf>,
    size: Option<[usize; 2]>,
    /// The last picture: a game may have none at its end.
    last: Option<Picture>,
}

/// What was shown of a game.
struct Shown {
    pictures: u64,
    /// Pictures that the game had until then.
    seen: u64,
    /// Whether the game had ended.
    over: bool,
}

impl Show {
    fn new(arguments: &PlayArguments, speed: f64, output: Opened) -> Self {
        let pictures = |seconds: f64| (seconds * speed).round() as u64;
        Self {
            overlay: arguments.overlay.then(Overlay::default),
            scale: arguments.scale.map(|scale| scale as usize),
            skipped: pictures(arguments.from),
            most: arguments.seconds.map_or(u64::MAX, |seconds| pictures(seconds).max(1)),
            seen: 0,
            over: false,
            output,
            name: arguments.out.clone(),
            size: None,
            last: None,
        }
    }

    fn step(&mut self, step: PlayedStep<'_>, interrupt: &Interrupt) -> Result<Watching, Failure> {
        if interrupt.requested() {
            return Ok(Watching::Stops);
        }
        self.seen += 1;
        self.over = step.action.is_none();
        if self.seen > self.skipped {
            let canvas = self.draw(step);
            self.output.writer.frame(&canvas).map_err(|error| failed(self.name.as_deref(), error))?;
        }
        let shown = self.seen.saturating_sub(self.skipped);
        Ok(if shown >= self.most || !self.output.writer.is_open() { Watching::Stops } else { Watching::GoesOn })
    }

    /// The game, with what the policy thinks of it to its right.
    fn draw(&mut self, mut step: PlayedStep<'_>) -> Canvas {
        /// Rows that a picture has about.
        const ROWS: usize = 200;
        self.last = step.picture.take().or(self.last.take());
        let picture = self.last.as_ref();
        let (columns, rows, aspect) = picture
            .map_or((0, 0, 1.0), |picture| (picture.width, picture.pixels.len() / picture.width, picture.pixel_aspect));
        let scale = self.scale.unwrap_or_else(|| (ROWS / rows.max(1)).max(1));
        let wide = ((scale as f64 * aspect).round() as usize).max(1);
        let [width, height] = *self.size.get_or_insert([columns * wide, (rows * scale).max(1)]);
        let in_words = self.overlay.is_some() && self.output.writer.words(&Overlay::words(&mut step));
        let mut overlay = self.overlay.as_mut().filter(|_| !in_words);
        let beside = overlay.as_ref().map_or(0, |_| Overlay::WIDTH);
        let height = if beside > 0 { height.max(Overlay::least_height(step.actions.len())) } else { height };
        let mut canvas = Canvas::new((width + beside).max(1), height);
        if let Some(picture) = picture {
            let pixels: Vec<prism_picture::Rgb> =
                picture.pixels.iter().map(|&pixel| prism_picture::Rgb(pixel)).collect();
            canvas.draw([0, (height - (rows * scale).min(height)) / 2], &pixels, columns, [wide, scale]);
        }
        if let Some(overlay) = &mut overlay {
            overlay.draw(&mut canvas, width, step);
        }
        canvas
    }

    /// Keeps what was shown, if anything was.
    fn finish(self) -> Result<Shown, Failure> {
        let pictures = self.seen.saturating_sub(self.skipped);
        let Self { output: Opened { writer, file }, ref name, .. } = self;
        writer.finish().map_err(|error| failed(name.as_deref(), error))?;
        if let Some(file) = file.filter(|_| pictures > 0) {
            file.keep()?;
        }
        Ok(Shown { pictures, seen: self.seen, over: self.over })
    }
}

/// The error with the name of the file, which those who write pictures do not know.
fn failed(name: Option<&Path>, error: PictureError) -> Failure {
    match (name, error) {
        (Some(name), PictureError::Write(source)) => PictureError::File { path: name.to_owned(), source }.into(),
        (_, error) => error.into(),
    }
}
