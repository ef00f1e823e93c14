"""Makes assets/golden/console/ale-py-0.12.1.csv: what ALE computes, frame by frame, as chains of CRC-32.

    python3 -m venv venv && venv/bin/pip install -r benches/peers/requirements.txt
    venv/bin/python benches/peers/console_traces.py assets/golden/console/ale-py-0.12.1.csv

Each line of the file is one play of one game: without sticky actions, without frame skip, under one policy of actions that
is a function of the line's first four fields alone.

The chain is a CRC-32 (IEEE, as in zlib) of everything ALE shows, one long stream of bytes:
  * after `loadROM`: the 128 bytes of RAM, then the screen's palette bytes. Where the line asks for another mode or difficulty
    than the first that ALE lists, `setDifficulty`, `setMode` and `reset_game` follow, and RAM and screen enter once more;
  * after each frame: RAM, screen, the reward (i32 little-endian), the lives (i32), game over (u8), the number of the frame in
    its episode (i32);
  * after a frame that ended the game: `reset_game`, then RAM and screen.

Fields: game, mode, difficulty, policy, frames; `start`, the chain before the first frame; `checkpoints`, the chain after every
500th frame, by spaces; `reset`, the chain after the last frame's, one more `reset_game`, RAM and screen; `first`, the
low 16 bits of the chain after each of the first 64 frames, four hexadecimal digits each, so that the first frame that differs
is seen at once. To find a later one, record again with `--checkpoint 1` and `--game`, `--policy`.

Actions: SplitMix64, its state at first crc32(b"game/mode/difficulty/policy"). A word w below n is (w >> 32) * n >> 32.
  * noop: action 0;
  * random: each frame one word chooses the index in the minimal action set;
  * held: one word chooses the index, the next 1 + a number below 30: the frames to hold it.
The stream of actions knows nothing of the game: it goes on over the end of an episode.

`--library` records from the ALE of 2020 instead (a shared object with its C interface); `random_seed` is 1 in both, and
there the ports of wizard_of_wor are swapped as ale-py swaps them.
"""

import argparse
import ctypes
import struct
import sys
from pathlib import Path
from zlib import crc32

import ale_py

POLICIES = ["noop", "random", "held"]
MULTIPLAYER = {"combat", "joust", "maze_craze", "warlords"}
SWAPPED = {"wizard_of_wor"}
FIRST = 64
ROMS = Path(ale_py.__file__).parent / "roms"


class Python:
    """A game in ale-py."""

    def __init__(self, path, seed=1):
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        ale = ale_py.ALEInterface()
        ale.setFloat("repeat_action_probability", 0.0)
        ale.setInt("frame_skip", 1)
        ale.setInt("random_seed", seed)
        ale.loadROM(str(path))
        self.ale = ale
        self.ram = lambda: ale.getRAM().tobytes()
        self.screen = lambda: ale.getScreen().tobytes()
        self.act, self.lives, self.game_over = ale.act, ale.lives, ale.game_over
        self.frame_number, self.episode_frame_number = ale.getFrameNumber, ale.getEpisodeFrameNumber
        self.reset_game, self.set_mode, self.set_difficulty = ale.reset_game, ale.setMode, ale.setDifficulty
        self.actions = [action.value for action in ale.getMinimalActionSet()]
        self.modes = list(ale.getAvailableModes())
        self.difficulties = list(ale.getAvailableDifficulties())

    def close(self):
        pass


class Library:
    """A game in the C interface of 2020."""

    def __init__(self, library, path, seed=1):
        library.ALE_new.restype = ctypes.c_void_p
        library.setLoggerMode(2)
        self.library, self.ale = library, ctypes.c_void_p(library.ALE_new())
        library.setFloat(self.ale, b"repeat_action_probability", ctypes.c_float(0.0))
        library.setInt(self.ale, b"frame_skip", 1)
        library.setInt(self.ale, b"random_seed", seed)
        if Path(path).stem in SWAPPED:
            # The key that makes this version swap the ports. It would swap them in every game.
            library.setString(self.ale, b"sp", b"YES")
        library.loadROM(self.ale, str(path).encode())
        for name in ["act", "lives"]:
            getattr(library, name).restype = ctypes.c_int
        library.game_over.restype = ctypes.c_bool
        self._ram = ctypes.create_string_buffer(128)
        size = library.getScreenWidth(self.ale) * library.getScreenHeight(self.ale)
        self._screen = ctypes.create_string_buffer(size)
        self.actions = self._list("MinimalActionSet", "MinimalActionSize")
        self.modes = self._list("AvailableModes", "AvailableModesSize")
        self.difficulties = self._list("AvailableDifficulties", "AvailableDifficultiesSize")

    def _list(self, name, size):
        numbers = (ctypes.c_int * getattr(self.library, "get" + size)(self.ale))()
        getattr(self.library, "get" + name)(self.ale, numbers)
        return list(numbers)

    def ram(self):
        self.library.getRAM(self.ale, self._ram)
        return self._ram.raw

    def screen(self):
        self.library.getScreen(self.ale, self._screen)
        return self._screen.raw

    def act(self, action):
        return self.library.act(self.ale, action)

    def lives(self):
        return self.library.lives(self.ale)

    def game_over(self):
        return self.library.game_over(self.ale)

    def frame_number(self):
        return self.library.getFrameNumber(self.ale)

    def episode_frame_number(self):
        return self.library.getEpisodeFrameNumber(self.ale)

    def reset_game(self):
        self.library.reset_game(self.ale)

    def set_mode(self, mode):
        self.library.setMode(self.ale, mode)

    def set_difficulty(self, difficulty):
        self.library.setDifficulty(self.ale, difficulty)

    def close(self):
        self.library.ALE_del(self.ale)


def words(seed):
    """SplitMix64."""
    mask = (1 << 64) - 1
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        word = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & mask
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & mask
        yield word ^ (word >> 31)


def actions(line, minimal):
    """The endless stream of actions of the line "game/mode/difficulty/policy"."""
    source = words(crc32(line.encode()))

    def below(limit):
        return (next(source) >> 32) * limit >> 32

    policy = line.rsplit("/", 1)[1]
    while True:
        if policy == "noop":
            yield 0
        elif policy == "random":
            yield minimal[below(len(minimal))]
        else:
            action = minimal[below(len(minimal))]
            for _ in range(1 + below(30)):
                yield action


def record(game, mode, difficulty, policy, frames, checkpoint):
    """One line of the file, of a game just loaded."""

    def picture(chain):
        return crc32(game.screen(), crc32(game.ram(), chain))

    chain = picture(0)
    if (mode, difficulty) != (game.modes[0], game.difficulties[0]):
        game.set_difficulty(difficulty)
        game.set_mode(mode)
        game.reset_game()
        chain = picture(chain)
    start, checkpoints, first = chain, [], []
    line = f"{game.name}/{mode}/{difficulty}/{policy}"
    for frame, action in zip(range(1, frames + 1), actions(line, game.actions)):
        reward = game.act(action)
        over = game.game_over()
        result = struct.pack("<iiBi", reward, game.lives(), over, game.episode_frame_number())
        chain = crc32(result, picture(chain))
        if over:
            game.reset_game()
            chain = picture(chain)
        if frame <= FIRST:
            first.append(f"{chain & 0xFFFF:04x}")
        if frame % checkpoint == 0:
            checkpoints.append(f"{chain:08x}")
    game.reset_game()
    reset = picture(chain)
    fields = [game.name, mode, difficulty, policy, frames, f"{start:08x}", " ".join(checkpoints), f"{reset:08x}", "".join(first)]
    return ",".join(str(field) for field in fields)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="where to write")
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--checkpoint", type=int, default=500, help="frames from one checkpoint to the next")
    parser.add_argument("--game", action="append", help="this game only (may be repeated)")
    parser.add_argument("--policy", action="append", choices=POLICIES, help="this policy only (may be repeated)")
    parser.add_argument("--mode", type=int, help="this mode only")
    parser.add_argument("--difficulty", type=int, help="this difficulty only")
    parser.add_argument("--every", action="store_true", help="every mode and difficulty, not the first alone")
    parser.add_argument("--library", type=Path, help="the shared object of the ALE of 2020")
    parser.add_argument("--roms", type=Path, default=ROMS, help="the directory of <game>.bin")
    parser.add_argument("--without", action="append", default=[], help="games to leave out")
    options = parser.parse_args()

    library = ctypes.CDLL(str(options.library.resolve())) if options.library else None
    games = options.game or sorted({path.stem for path in options.roms.glob("*.bin")} - MULTIPLAYER - set(options.without))

    def load(name):
        path = options.roms / f"{name}.bin"
        game = Library(library, path) if library else Python(path)
        game.name = name
        return game

    with open(options.file, "w") as file:
        version = options.library.name if library else f"ale-py {ale_py.__version__}"
        print(f"# {version}, made by benches/peers/console_traces.py, which says what the fields are.", file=file)
        print("game,mode,difficulty,policy,frames,start,checkpoints,reset,first", file=file)
        for name in games:
            game = load(name)
            modes, difficulties = game.modes, game.difficulties
            game.close()
            modes = [options.mode] if options.mode is not None else modes if options.every else modes[:1]
            difficulties = (
                [options.difficulty] if options.difficulty is not None else difficulties if options.every else difficulties[:1]
            )
            for mode in modes:
                for difficulty in difficulties:
                    for policy in options.policy or POLICIES:
                        game = load(name)
                        line = record(game, mode, difficulty, policy, options.frames, options.checkpoint)
                        game.close()
                        print(line, file=file, flush=True)
            print(name, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
