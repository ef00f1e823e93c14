//! Where pictures are seen at once, at the speed of the game: a terminal and a window.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use minifb::{Key, Scale, ScaleMode, WindowOptions};
use prism_picture::{Canvas, PictureError, Rgb, TerminalColours, Writer, half_blocks};

/// So many pictures a second.
struct Pace {
    period: Duration,
    next: Instant,
}

impl Pace {
    fn new(speed: f64) -> Self {
        Self { period: Duration::from_secs_f64(1.0 / speed), next: Instant::now() }
    }

    /// Waits until the next picture is due. What comes late does not make the pictures after it hurry.
    fn wait(&mut self) {
        self.next = (self.next + self.period).max(Instant::now());
        std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
    }
}

/// Draws pictures over one another in the terminal, at the speed of the game.
pub struct Terminal {
    colours: TerminalColours,
    pace: Pace,
    /// Lines of the last picture, with its words.
    lines: usize,
    words: Vec<String>,
}

impl Terminal {
    /// For `speed` pictures a second.
    pub fn new(colours: TerminalColours, speed: f64) -> Self {
        Self { colours, pace: Pace::new(speed), lines: 0, words: Vec::new() }
    }
}

impl Writer for Terminal {
    fn words(&mut self, words: &[String]) -> bool {
        self.words = words.to_vec();
        true
    }

    fn frame(&mut self, picture: &Canvas) -> Result<(), PictureError> {
        const BETWEEN: &str = "   ";
        let [columns, rows] = terminal_size();
        let width = self.words.first().map_or(1, |word| word.len() + BETWEEN.len());
        let words = self.words.chunks((columns / width).max(1)).map(|words| words.join(BETWEEN));
        let words: Vec<String> = words.map(|line| line.chars().take(columns).collect()).collect();
        let mut lines = half_blocks(picture, [columns, rows.saturating_sub(2 + words.len())], self.colours);
        lines.extend(words);
        let mut text = String::new();
        // The cursor is hidden while pictures follow one another.
        if self.lines == 0 {
            text.push_str("\x1b[?25l");
        } else {
            text.push_str(&format!("\x1b[{}A", self.lines));
        }
        for line in &lines {
            text.push_str(&format!("\r{line}\x1b[K\n"));
        }
        // Lines of a larger picture before, from when the terminal was larger.
        text.push_str("\x1b[J");
        self.lines = lines.len();
        let mut output = io::stdout().lock();
        output.write_all(text.as_bytes())?;
        output.flush()?;
        self.pace.wait();
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), PictureError> {
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Whatever ended the game, the cursor is seen again.
        if self.lines > 0 {
            let _ = io::stdout().write_all(b"\x1b[0m\x1b[?25h");
        }
    }
}

/// Columns and lines of the terminal.
fn terminal_size() -> [usize; 2] {
    let (lines, columns) = console::Term::stdout().size();
    [usize::from(columns), usize::from(lines)]
}

/// Shows pictures in a window, which opens with the first of them, until Escape is pressed or it is closed.
pub struct Window {
    title: String,
    window: Option<minifb::Window>,
    pace: Pace,
    /// The picture as the window takes it: 0RGB in a number.
    pixels: Vec<u32>,
}

impl Window {
    /// For `speed` pictures a second.
    pub fn new(title: String, speed: f64) -> Self {
        Self { title, window: None, pace: Pace::new(speed), pixels: Vec::new() }
    }

    /// Refuses a window where it is known that there can be none.
    pub fn check() -> Result<(), PictureError> {
        let x11 = cfg!(all(unix, not(target_os = "macos")));
        if x11 && std::env::var_os("DISPLAY").is_none_or(|display| display.is_empty()) {
            return Err(PictureError::Window("the variable DISPLAY names no X server".to_owned()));
        }
        Ok(())
    }
}

impl Writer for Window {
    fn frame(&mut self, picture: &Canvas) -> Result<(), PictureError> {
        let failed = |error: minifb::Error| PictureError::Window(error.to_string());
        let size = (picture.width(), picture.height());
        let window = match &mut self.window {
            Some(window) => window,
            none => {
                let scale_mode = ScaleMode::AspectRatioStretch;
                let options = WindowOptions { resize: true, scale: Scale::X2, scale_mode, ..Default::default() };
                none.insert(minifb::Window::new(&self.title, size.0, size.1, options).map_err(failed)?)
            }
        };
        let pixels = picture.pixels().iter();
        self.pixels.clear();
        self.pixels.extend(pixels.map(|&Rgb([red, green, blue])| u32::from_be_bytes([0, red, green, blue])));
        window.update_with_buffer(&self.pixels, size.0, size.1).map_err(failed)?;
        self.pace.wait();
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.window.as_ref().is_none_or(|window| window.is_open() && !window.is_key_down(Key::Escape))
    }

    fn finish(self: Box<Self>) -> Result<(), PictureError> {
        Ok(())
    }
}
