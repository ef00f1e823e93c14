"""Makes assets/golden/tapes: what happens in ale-py when recorded actions are played, frame by frame.

    python3 -m venv venv && venv/bin/pip install -r benches/peers/requirements.txt
    venv/bin/python benches/peers/golden_tapes.py assets/golden/tapes

Each random minimal action is held for ten frames, without sticky actions. `rewards` and `lives` list every frame with
points or a change of lives, `over` the frames that ended a game together with that game's length; a reset follows each.
"""

import json
import sys
from pathlib import Path

import ale_py
import numpy as np
from ale_py.roms import get_rom_path

HOLD = 10


def record(game, frames):
    ale = ale_py.ALEInterface()
    ale.setInt("random_seed", 1)
    ale.setFloat("repeat_action_probability", 0.0)
    ale.loadROM(get_rom_path(game))
    ale.reset_game()
    legal = ale.getMinimalActionSet()
    generator = np.random.default_rng(7)
    tape = {"game": game, "hold": HOLD, "actions": [], "start_lives": ale.lives(), "rewards": [], "lives": [], "over": []}
    lives = ale.lives()
    for frame in range(frames):
        if frame % HOLD == 0:
            action = legal[generator.integers(len(legal))]
            tape["actions"].append(action.value)
        reward = ale.act(action)
        if reward:
            tape["rewards"].append([frame, reward])
        if ale.lives() != lives:
            lives = ale.lives()
            tape["lives"].append([frame, lives])
        if ale.game_over():
            tape["over"].append([frame, ale.getEpisodeFrameNumber()])
            ale.reset_game()
            lives = ale.lives()
    tape["frame_number"] = ale.getFrameNumber()
    tape["made_with"] = f"ale-py {ale_py.__version__}"
    return tape


def main(directory, games):
    directory.mkdir(parents=True, exist_ok=True)
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    for game in games:
        (directory / f"{game}.json").write_text(json.dumps(record(game, 6000), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
