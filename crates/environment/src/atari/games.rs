//! The games that this build of ALE can play.

use thiserror::Error;

use super::palette::Palette;

/// One game: its name in ALE and what its ROM file must be.
#[derive(Debug)]
pub struct GameInfo {
    /// Name in ALE's spelling, such as `space_invaders`.
    pub name: &'static str,
    /// Size of the ROM in bytes.
    pub rom_bytes: usize,
    /// MD5 of the ROM.
    pub md5: u128,
    /// Colours of the television format that ALE finds the ROM to use.
    pub palette: &'static Palette,
    /// How the end of a game is known.
    pub end: GameEnd,
    /// What a state of it restores.
    pub restores: Restores,
}

/// What the emulator's state of a game restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restores {
    /// Everything: the game goes on as it would have.
    Everything,
    /// All but the screen's last two pictures. The game leaves pixels of a frame undrawn, which show what was there two
    /// frames ago, and no state has that: the first picture after a restore can differ.
    NotTheScreen,
}

/// How it is known that a game has ended by its own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GameEnd {
    /// The emulator reports it. Some games are played on with 0 lives, for that is how they count the last one.
    ///
    /// ALE misses one end that has no rule here: in `pitfall`, that of the clock after 72,000 frames. Later ALEs miss it
    /// too (their issue 654), and it takes no points away, so that games keep the length that they have elsewhere.
    Reported,
    /// ALE misses some of the ends: the game is over when no lives are left, too.
    NoLives,
}

/// A name that is none of the games'.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unknown game '{name}'{}", self.hint())]
pub struct UnknownGame {
    /// What was asked for.
    pub name: String,
    /// Names that resemble it, best first.
    pub near: Vec<&'static str>,
}

impl UnknownGame {
    fn hint(&self) -> String {
        if self.near.is_empty() { String::new() } else { format!(": did you mean {}?", self.near.join(" or ")) }
    }
}

/// Whose way of writing a game's name it is. Those of other libraries also name a way of playing; [`Spelling::protocol`]
/// has the protocol nearest to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// A name and no more: `space_invaders`, `SpaceInvaders`, `Space Invaders`, `space-invaders`.
    Plain,
    /// Gymnasium since 0.26: `ALE/SpaceInvaders-v5`.
    Gymnasium,
    /// EnvPool: `SpaceInvaders-v5`.
    EnvPool,
    /// Gym's games for the wrappers of Baselines, Stable-Baselines3 and CleanRL: `SpaceInvadersNoFrameskip-v4`.
    NoFrameskip,
    /// Gym's games without sticky actions: `SpaceInvaders-v4`, `SpaceInvadersDeterministic-v4`.
    Gym4,
    /// Gym's games with sticky actions, with or without `NoFrameskip` or `Deterministic`: `SpaceInvaders-v0`.
    Gym0,
}

impl GameInfo {
    /// The game of this name, in any [`Spelling`].
    ///
    /// # Errors
    /// When no game has this name.
    pub fn find(name: &str) -> Result<&'static Self, UnknownGame> {
        Self::resolve(name).map(|(game, _)| game)
    }

    /// The game of this name and whose spelling it is. Capitals, spaces and signs do not matter.
    ///
    /// # Errors
    /// When no game has this name.
    pub fn resolve(name: &str) -> Result<(&'static Self, Spelling), UnknownGame> {
        let lower = name.trim().to_lowercase();
        let rest = lower.strip_prefix("ale/");
        let namespaced = rest.is_some();
        let rest = rest.unwrap_or(&lower);
        let (rest, version) = match rest.rsplit_once("-v") {
            Some((rest, version)) if version.parse::<u32>().is_ok() => (rest, version),
            _ => (rest, ""),
        };
        let bare = rest.strip_suffix("noframeskip");
        let rest = bare.or(rest.strip_suffix("deterministic")).unwrap_or(rest);
        let rest = rest.strip_suffix("-ram").unwrap_or(rest);
        let squeezed = squeeze(rest);
        let game = GAMES
            .iter()
            .find(|game| squeeze(game.name) == squeezed)
            .ok_or_else(|| UnknownGame { name: name.into(), near: near(&squeezed) })?;
        let spelling = match version {
            "5" if namespaced => Spelling::Gymnasium,
            "5" => Spelling::EnvPool,
            "4" if bare.is_some() => Spelling::NoFrameskip,
            "4" => Spelling::Gym4,
            "0" => Spelling::Gym0,
            _ => Spelling::Plain,
        };
        Ok((game, spelling))
    }
}

/// Letters and digits only.
fn squeeze(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// At most three games whose names resemble a squeezed one.
fn near(squeezed: &str) -> Vec<&'static str> {
    let mut scored: Vec<(f64, &'static str)> = GAMES
        .iter()
        .map(|game| (strsim::jaro_winkler(squeezed, &squeeze(game.name)), game.name))
        .filter(|(score, _)| *score > 0.8)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

const fn game(name: &'static str, rom_bytes: usize, md5: u128, palette: &'static Palette) -> GameInfo {
    GameInfo { name, rom_bytes, md5, palette, end: GameEnd::Reported, restores: Restores::Everything }
}

/// The 76 games of the ALE that `ale-sys` 0.1.2 carries, in alphabetical order. Sizes and MD5 are those of the ROM files
/// in the ale-py 0.12.1 wheel.
#[rustfmt::skip]
pub const GAMES: [GameInfo; 76] = [
    game("adventure", 4096, 0x4b27f5397c442d25f0c418ccdacf1926, Palette::PAL),
    game("air_raid", 4096, 0x35be55426c1fec32dfb503b4f0651572, Palette::PAL),
    game("alien", 4096, 0xf1a0a23e6464d954e3a9579c4ccd01c8, Palette::NTSC),
    game("amidar", 4096, 0xacb7750b4d0c4bd34969802a7deb2990, Palette::NTSC),
    game("assault", 4096, 0xde78b3a064d374390ac0710f95edde92, Palette::NTSC),
    game("asterix", 8192, 0x89a68746eff7f266bbf08de2483abe55, Palette::NTSC),
    game("asteroids", 8192, 0xccbd36746ed4525821a8083b0d6d2c2c, Palette::NTSC),
    game("atlantis", 4096, 0x9ad36e699ef6f45d9eb6c4cf90475c9f, Palette::NTSC),
    game("bank_heist", 4096, 0x00ce0bdd43aed84a983bef38fe7f5ee3, Palette::NTSC),
    game("battle_zone", 8192, 0x41f252a66c6301f1e8ab3612c19bc5d4, Palette::NTSC),
    game("beam_rider", 8192, 0x79ab4123a83dc11d468fb2108ea09e2e, Palette::NTSC),
    game("berzerk", 4096, 0x136f75c4dd02c29283752b7e5799f978, Palette::NTSC),
    game("bowling", 2048, 0xc9b7afad3bfd922e006a6bfc1d4f3fe7, Palette::NTSC),
    game("boxing", 2048, 0xc3ef5c4653212088eda54dc91d787870, Palette::NTSC),
    game("breakout", 2048, 0xf34f08e5eb96e500e851a80be3277a56, Palette::NTSC),
    game("carnival", 4096, 0x028024fb8e5e5f18ea586652f9799c96, Palette::NTSC),
    game("centipede", 8192, 0x91c2098e88a6b13f977af8c003e0bca5, Palette::NTSC),
    GameInfo { end: GameEnd::NoLives, ..game("chopper_command", 4096, 0xc1cb228470a87beb5f36e90ac745da26, Palette::NTSC) },
    game("crazy_climber", 8192, 0x55ef7b65066428367844342ed59f956c, Palette::NTSC),
    game("defender", 4096, 0x0f643c34e40e3f1daafd9c524d3ffe64, Palette::NTSC),
    game("demon_attack", 4096, 0xf0e0addc07971561ab80d9abe1b8d333, Palette::NTSC),
    game("donkey_kong", 4096, 0x36b20c427975760cb9cf4a47e41369e4, Palette::NTSC),
    game("double_dunk", 16384, 0x368d88a6c071caba60b4f778615aae94, Palette::NTSC),
    game("elevator_action", 8192, 0x71f8bacfbdca019113f3f0801849057e, Palette::NTSC),
    game("enduro", 4096, 0x94b92a882f6dbaa6993a46e2dcc58402, Palette::NTSC),
    game("fishing_derby", 2048, 0xb8865f05676e64f3bec72b9defdacfa7, Palette::NTSC),
    game("freeway", 2048, 0x8e0ab801b1705a740b476b7f588c6d16, Palette::NTSC),
    game("frogger", 4096, 0x081e2c114c9c20b61acf25fc95c71bf4, Palette::NTSC),
    game("frostbite", 4096, 0x4ca73eb959299471788f0b685c3ba0b5, Palette::NTSC),
    game("galaxian", 8192, 0x211774f4c5739042618be8ff67351177, Palette::NTSC),
    game("gopher", 4096, 0xc16c79aad6272baffb8aae9a7fff0864, Palette::NTSC),
    game("gravitar", 8192, 0x8ac18076d01a6b63acf6e2cab4968940, Palette::NTSC),
    game("hero", 8192, 0xfca4a5be1251927027f2c24774a02160, Palette::NTSC),
    game("ice_hockey", 4096, 0xa4c08c4994eb9d24fb78be1793e82e26, Palette::NTSC),
    game("jamesbond", 8192, 0xe51030251e440cffaab1ac63438b44ae, Palette::NTSC),
    game("journey_escape", 4096, 0x718ae62c70af4e5fd8e932fee216948a, Palette::NTSC),
    game("kaboom", 2048, 0x5428cdfada281c569c74c7308c7f2c26, Palette::NTSC),
    game("kangaroo", 8192, 0x4326edb70ff20d0ee5ba58fa5cb09d60, Palette::NTSC),
    game("keystone_kapers", 4096, 0x6c1f3f2e359dbf55df462ccbcdd2f6bf, Palette::PAL),
    game("king_kong", 4096, 0x0dd4c69b5f9a7ae96a7a08329496779a, Palette::PAL),
    game("koolaid", 4096, 0x534e23210dd1993c828d944c6ac4d9fb, Palette::NTSC),
    game("krull", 8192, 0x4baada22435320d185c95b7dd2bcdb24, Palette::NTSC),
    game("kung_fu_master", 8192, 0x5b92a93b23523ff16e2789b820e2a4c5, Palette::NTSC),
    game("laser_gates", 4096, 0x8e4cd60d93fcde8065c1a2b972a26377, Palette::PAL),
    game("lost_luggage", 4096, 0x2d76c5d1aad506442b9e9fb67765e051, Palette::NTSC),
    game("montezuma_revenge", 8192, 0x3347a6dd59049b15a38394aa2dafa585, Palette::NTSC),
    game("mr_do", 8192, 0xaa7bb54d2c189a31bb1fa20099e42859, Palette::PAL),
    game("ms_pacman", 8192, 0x87e79cd41ce136fd4f72cc6e2c161bee, Palette::NTSC),
    game("name_this_game", 4096, 0x36306070f0c90a72461551a7a4f3a209, Palette::NTSC),
    game("phoenix", 8192, 0x7e52a95074a66640fcfde124fffd491a, Palette::NTSC),
    game("pitfall", 4096, 0x3e90cf23106f2e08b2781e41299de556, Palette::NTSC),
    game("pong", 2048, 0x60e0ea3cbe0913d39803477945e9e5ec, Palette::NTSC),
    game("pooyan", 4096, 0x4799a40b6e889370b7ee55c17ba65141, Palette::NTSC),
    game("private_eye", 8192, 0xef3a4f64b6494ba770862768caf04b86, Palette::NTSC),
    game("qbert", 4096, 0x484b0076816a104875e00467d431c2d2, Palette::NTSC),
    game("riverraid", 4096, 0x393948436d1f4cc3192410bb918f9724, Palette::NTSC),
    game("road_runner", 16384, 0xce5cc62608be2cd3ed8abd844efb8919, Palette::NTSC),
    game("robotank", 8192, 0x4f618c2429138e0280969193ed6c107e, Palette::NTSC),
    game("seaquest", 4096, 0x240bfbac5163af4df5ae713985386f92, Palette::NTSC),
    game("sir_lancelot", 8192, 0xdd0cbe5351551a538414fb9e37fc56e8, Palette::PAL),
    game("skiing", 2048, 0xb76fbadc8ffb1f83e2ca08b6fb4d6c9f, Palette::NTSC),
    game("solaris", 16384, 0xe72eb8d4410152bdcb69e7fba327b420, Palette::NTSC),
    game("space_invaders", 4096, 0x72ffbef6504b75e69ee1045af9075f66, Palette::NTSC),
    game("star_gunner", 4096, 0xa3c1c70024d7aabb41381adbfb6d3b25, Palette::NTSC),
    game("tennis", 2048, 0x42cdd6a9e42a3639e190722b8ea3fc51, Palette::NTSC),
    game("tetris", 2048, 0xb0e1ee07fbc73493eac5651a52f90f00, Palette::NTSC),
    game("time_pilot", 8192, 0xfc2104dd2dadf9a6176c1c1c8f87ced9, Palette::NTSC),
    game("trondead", 4096, 0xfb27afe896e7c928089307b32e5642ee, Palette::NTSC),
    game("turmoil", 4096, 0x7a5463545dfb2dcfdafa6074b2f2c15e, Palette::NTSC),
    game("tutankham", 8192, 0x085322bae40d904f53bdcc56df0593fc, Palette::NTSC),
    game("up_n_down", 8192, 0xa499d720e7ee35c62424de882a3351b6, Palette::NTSC),
    game("venture", 4096, 0x3e899eba0ca8cd2972da1ae5479b4f0d, Palette::NTSC),
    game("video_pinball", 4096, 0x107cc025334211e6d29da0b6be46aec7, Palette::NTSC),
    game("wizard_of_wor", 4096, 0x7e8aa18bc9502eb57daaf5e7c1e94da7, Palette::NTSC),
    // 16 pixels.
    GameInfo { restores: Restores::NotTheScreen, ..game("yars_revenge", 4096, 0xc5930d0e8cdae3e037349bfa08e871be, Palette::NTSC) },
    game("zaxxon", 8192, 0xeea0da9b987d661264cce69a7c13c3bd, Palette::NTSC),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_md5s_differ() {
        assert!(GAMES.windows(2).all(|pair| pair[0].name < pair[1].name));
        for (i, a) in GAMES.iter().enumerate() {
            assert!(GAMES[i + 1..].iter().all(|b| a.md5 != b.md5), "{} shares its md5", a.name);
        }
    }

    #[test]
    fn games_are_known_by_the_names_that_other_libraries_give_them() {
        let spelled = |name| GameInfo::resolve(name).map(|(game, spelling)| (game.name, spelling));
        for (name, game, spelling) in [
            ("ALE/Pong-v5", "pong", Spelling::Gymnasium),
            ("ALE/Pong-ram-v5", "pong", Spelling::Gymnasium),
            ("Pong-v5", "pong", Spelling::EnvPool),
            ("Pong-v4", "pong", Spelling::Gym4),
            ("Pong-ramDeterministic-v4", "pong", Spelling::Gym4),
            ("PongDeterministic-v4", "pong", Spelling::Gym4),
            ("PongNoFrameskip-v4", "pong", Spelling::NoFrameskip),
            ("PongNoFrameskip-v0", "pong", Spelling::Gym0),
            ("ale/UPNDOWN-V5", "up_n_down", Spelling::Gymnasium),
            ("SpaceInvaders", "space_invaders", Spelling::Plain),
            ("space-invaders", "space_invaders", Spelling::Plain),
            ("SPACE_INVADERS", "space_invaders", Spelling::Plain),
            (" Space Invaders ", "space_invaders", Spelling::Plain),
            ("ALE/Pong", "pong", Spelling::Plain),
            ("Q*bert", "qbert", Spelling::Plain),
        ] {
            assert_eq!(spelled(name), Ok((game, spelling)), "{name}");
        }
        for game in &GAMES {
            assert_eq!(spelled(game.name), Ok((game.name, Spelling::Plain)));
        }
    }

    #[test]
    fn an_unknown_game_names_its_neighbours() {
        let error = GameInfo::find("ALE/SpaceInvader-v5").expect_err("there is no such game");
        assert_eq!(error.near[0], "space_invaders");
        let message = "unknown game 'ALE/SpaceInvader-v5': did you mean space_invaders";
        assert!(error.to_string().starts_with(message), "{error}");
        let error = GameInfo::find("doom").expect_err("there is no such game");
        assert_eq!(error.to_string(), "unknown game 'doom'");
        assert!(GameInfo::find("").is_err());
    }
}
