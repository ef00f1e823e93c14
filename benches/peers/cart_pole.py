"""Records episodes of Gymnasium's CartPole-v1 for the tests of our own.

usage: python benches/peers/cart_pole.py > assets/golden/cart_pole.csv
"""

import platform
import random

import gymnasium
import numpy


def follow(target):
    """Balances the pole while the cart makes for `target` (metres)."""

    def act(state, _step):
        x, x_dot, theta, theta_dot = state
        lean = 0.03 * max(-1.0, min(1.0, target - x)) - 0.04 * x_dot
        return int(theta + 0.25 * theta_dot > lean)

    return act


def at_random(seed):
    generator = random.Random(seed)
    return lambda _state, _step: generator.randrange(2)


EPISODES = [
    ("always left", lambda _state, _step: 0),
    ("always right", lambda _state, _step: 1),
    ("random 1", at_random(1)),
    ("random 2", at_random(2)),
    ("balanced in the middle", follow(0.0)),
    ("off the right end", follow(10.0)),
    ("off the left end", follow(-10.0)),
]

print(f"# Gymnasium {gymnasium.__version__}, numpy {numpy.__version__}, Python {platform.python_version()}, ", end="")
print(f"{platform.machine()} {' '.join(platform.libc_ver())}".strip())
print("# Made by benches/peers/cart_pole.py. Numbers are f64 in full; row 0 of an episode is its reset.")
print("episode,step,action,x,x_dot,theta,theta_dot,reward,terminated,truncated")
for number, (_name, act) in enumerate(EPISODES):
    environment = gymnasium.make("CartPole-v1")
    environment.reset(seed=number)
    state = environment.unwrapped.state
    row = lambda values: ",".join(repr(float(value)) for value in values)
    print(f"{number},0,,{row(state)},,,")
    step = 0
    ended = False
    while not ended:
        action = act(state, step)
        _, reward, terminated, truncated, _ = environment.step(action)
        state = environment.unwrapped.state
        step += 1
        print(f"{number},{step},{action},{row(state)},{reward},{terminated},{truncated}")
        ended = terminated or truncated
