"""What Stable-Baselines3 takes to save and load a replay: its buffer, pickled.

    checkpoints.py FRAMES TRANSITIONS FOLDER

FRAMES holds frames of 84x84 bytes, one after the other. The buffer is the one that takes least memory: each frame is still in
four stacked observations, as SB3 stores what it is given.
"""

import os
import pathlib
import sys
import time

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.save_util import load_from_pkl, save_to_pkl

frames = np.fromfile(sys.argv[1], np.uint8).reshape(-1, 84, 84)
count = int(sys.argv[2])
path = pathlib.Path(sys.argv[3]) / "replay.pkl"

observations = spaces.Box(0, 255, (4, 84, 84), np.uint8)
buffer = ReplayBuffer(
    count, observations, spaces.Discrete(6), optimize_memory_usage=True, handle_timeout_termination=False
)
stack = np.zeros((1, 4, 84, 84), np.uint8)
for index in range(count):
    following = np.concatenate([stack[:, 1:], frames[index % len(frames)][None, None]], axis=1)
    buffer.add(stack, following, np.array([[index % 6]]), np.array([0.0]), np.array([False]), [{}])
    stack = following
print(f"{count} transitions take {buffer.observations.nbytes / 1e6:.0f} MB in memory")

for which in ["first", "second"]:
    begin = time.perf_counter()
    save_to_pkl(path, buffer)
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
    seconds = time.perf_counter() - begin
    print(f"{which} save: training waits {seconds:.2f} s; {path.stat().st_size / 1e6:.0f} MB on the disk")

begin = time.perf_counter()
load_from_pkl(path)
print(f"loaded in {time.perf_counter() - begin:.2f} s")
