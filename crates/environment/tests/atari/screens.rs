//! A game's own screens, made observations by prism-frames, beside the observations of the environment.

use prism_environment::{
    Ale, AtariConfig, AtariEnvironment, AtariOptions, Colour, ConsoleSettings, Emulator, Environment, FireReset,
    Pooling, Protocol, RomLibrary, Seed, StepType, View,
};
use prism_frames::{FrameSpec, Pixels, Screens};
use rand::RngExt;

/// The emulator's screen as a game would have it.
fn rgba(emulator: &dyn Emulator) -> Vec<u8> {
    let (rows, columns) = emulator.screen_size();
    let mut screen = vec![0; rows * columns];
    emulator.read_screen(&mut screen);
    let colour = |&index: &u8| emulator.palette().rgb[usize::from(index)];
    screen.iter().map(colour).flat_map(|[red, green, blue]| [red, green, blue, 77]).collect()
}

/// Plays a game twice, by the environment and by an emulator whose screens are shown one by one.
fn compare(game: &str, options: AtariOptions) {
    let View::Image { colour, height, width } = options.view else { panic!("an image is compared") };
    let pool = if options.pooling == Pooling::Last { 1 } else { 2 };
    let spec = FrameSpec { height, width, colour, stack: options.stack, skip: options.frame_skip as usize, pool };
    let rom = RomLibrary::locate(None).and_then(|library| library.rom(game)).unwrap_or_else(|error| panic!("{error}"));
    let config = AtariConfig::new(options).expect("valid options");
    let mut environment = AtariEnvironment::new(&config, &rom, Seed(6)).expect("an environment");
    let mut expected = vec![0; environment.spec().observation.bytes()];
    environment.reset(&mut expected).expect("a start");

    let mut console = Ale::new(&rom, ConsoleSettings { mode: 0, difficulty: 0, seed: Seed(6) }).expect("a console");
    console.restore(&environment.emulator().snapshot()).expect("a state of this game");
    let mut screens = Screens::new(spec, Pixels::Rgba, console.screen_size()).expect("there are such frames");
    let actions = console.minimal_actions().to_vec();
    let mut generator = Seed(7).generator();
    assert!(screens.show(&rgba(&console)).expect("a screen") == Some(&expected), "{game}: the first observation");
    for step in 0..400 {
        let action = generator.random_range(0..actions.len());
        let answer = environment.step(action, &mut expected).expect("a step");
        if answer.step_type == StepType::Last {
            break;
        }
        let mut shown = None;
        for _ in 0..spec.skip {
            assert!(shown.is_none(), "{game}: an observation between two actions");
            console.act(actions[action]);
            shown = screens.show(&rgba(&console)).expect("a screen").map(<[u8]>::to_vec);
        }
        assert!(shown.as_ref() == Some(&expected), "{game}: observation {step}");
    }
}

#[test]
fn screens_of_a_game_become_the_environments_observations() {
    for game in ["pong", "breakout", "space_invaders", "ms_pacman"] {
        // Nothing is played before the first observation, as no player of a game has played before it.
        let options = AtariOptions { no_op_max: 0, fire_reset: FireReset::Off, ..Protocol::Deepmind.options(game) };
        let view = View::Image { colour: Colour::Rgb, height: 52, width: 71 };
        compare(game, options.clone());
        compare(game, AtariOptions { pooling: Pooling::Last, view, stack: 2, frame_skip: 3, ..options });
    }
}
