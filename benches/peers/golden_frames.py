"""Makes assets/golden/frames: what ale-py and OpenCV make of real screens.

    python3 -m venv venv && venv/bin/pip install -r benches/peers/requirements.txt
    venv/bin/python benches/peers/golden_frames.py assets/golden/frames

For each game, random actions lead somewhere into the game. `<game>.screens.png` then holds two screens in a row as ALE's
palette bytes, the newer above the older. `<game>.grey-84x84.png` and the like hold the elementwise maximum of the two
screens, grey or coloured as ALE gives them, resized by OpenCV with INTER_AREA.
"""

import sys
from pathlib import Path

import ale_py
import cv2
import numpy as np
from ale_py.roms import get_rom_path

GAMES = {
    # Frames of random play before the two screens.
    "air_raid": 400,
    "asteroids": 400,
    "beam_rider": 700,
    "breakout": 300,
    "enduro": 600,
    "montezuma_revenge": 500,
    "mr_do": 900,
    "ms_pacman": 700,
    "pong": 500,
    "seaquest": 800,
    "space_invaders": 600,
}
GREY_SIZES = [(84, 84), (105, 80), (64, 64), (42, 32), (100, 150)]


def grey_and_colour(ale):
    return ale.getScreenGrayscale().reshape(ale.getScreenDims()), ale.getScreenRGB()


def write(path, image):
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    for game, frames in GAMES.items():
        ale = ale_py.ALEInterface()
        ale.setInt("random_seed", 1)
        ale.setFloat("repeat_action_probability", 0.0)
        ale.loadROM(get_rom_path(game))
        actions = ale.getMinimalActionSet()
        generator = np.random.default_rng(1)
        for _ in range(frames):
            ale.act(actions[generator.integers(len(actions))])
            if ale.game_over():
                ale.reset_game()
        older, (older_grey, older_colour) = ale.getScreen(), grey_and_colour(ale)
        ale.act(actions[generator.integers(len(actions))])
        newer, (newer_grey, newer_colour) = ale.getScreen(), grey_and_colour(ale)

        write(directory / f"{game}.screens.png", np.concatenate([newer, older]))
        grey, colour = np.maximum(newer_grey, older_grey), np.maximum(newer_colour, older_colour)
        for height, width in GREY_SIZES if game in ("breakout", "seaquest", "mr_do") else GREY_SIZES[:1]:
            resized = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
            write(directory / f"{game}.grey-{height}x{width}.png", resized)
        resized = cv2.resize(colour, (84, 84), interpolation=cv2.INTER_AREA)
        write(directory / f"{game}.rgb-84x84.png", resized)
    print(f"made with ale-py {ale_py.__version__}, OpenCV {cv2.__version__}, NumPy {np.__version__}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
