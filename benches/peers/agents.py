"""The agents that are measured beside ours, in PyTorch: networks, losses and optimisers of our presets.

The values are read from assets/presets, so that both sides always learn by the same ones. What is computed is what
crates/model and crates/algorithms compute, and each part is written the way that is fast in PyTorch:

  noise        only its factors are drawn, on the device; from 32 examples on noisy weights are written, which is faster
               in updates, with fewer it is faster to multiply with means and with spreads
  projection   mass is scattered to the two atoms around its place, whole batches at once
  RMSProp      PyTorch's own, centred. It adds its small constant outside the root and ours inside, so it is given the
               root of the preset's; the steps differ a little, the work does not
"""

import dataclasses
import math
import pathlib
import tomllib

import torch
import torch.nn.functional as F
from torch import nn

PRESETS = pathlib.Path(__file__).parents[2] / "assets" / "presets"
IMAGE = (4, 84, 84)
ACTIONS = 6
WRITTEN_FROM = 32


def preset(name):
    """Sections of a preset, with what it takes from its base."""
    own = tomllib.loads((PRESETS / f"{name}.toml").read_text())
    sections = preset(own.pop("base")) if "base" in own else {}
    for section, values in own.items():
        sections[section] = sections.get(section, {}) | values
    return sections


@dataclasses.dataclass(frozen=True)
class Agent:
    """What of a preset decides how an update is computed."""

    network: dict
    learning: dict
    optimiser: dict

    @classmethod
    def of(cls, name):
        sections = preset(name)
        return cls(sections["network"], sections["learning"], sections["optimiser"])

    @property
    def noisy(self):
        return self.network["layers"] == "noisy-factorised"

    @property
    def dueling(self):
        return self.network["streams"] == "dueling"

    @property
    def distributional(self):
        return self.network["output"] == "distribution"

    @property
    def atoms(self):
        return self.network["atoms"] if self.distributional else 1

    @property
    def double(self):
        return self.learning["bootstrap"] == "double"

    @property
    def gradient_norm(self):
        """Bound on the norm of the whole gradient; infinite where there is none."""
        bound = self.optimiser["gradient_norm"]
        return math.inf if bound == "none" else bound


class PlainLinear(nn.Linear):
    """A fully connected layer; it takes no noise."""

    def __init__(self, inputs, outputs, _sigma):
        super().__init__(inputs, outputs)
        self.factors = 0

    def forward(self, x, _noise):
        return super().forward(x)


class NoisyLinear(nn.Module):
    """Factorised noise (Fortunato et al. 2017); `noise` holds the factors of the inputs, then those of the outputs."""

    def __init__(self, inputs, outputs, sigma):
        super().__init__()
        self.sizes = [inputs, outputs]
        self.factors = inputs + outputs
        bound = 1 / math.sqrt(inputs)
        self.mu_weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.mu_bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))
        self.sigma_weight = nn.Parameter(torch.full((outputs, inputs), sigma * bound))
        self.sigma_bias = nn.Parameter(torch.full((outputs,), sigma * bound))

    def forward(self, x, noise):
        inputs, outputs = noise.split(self.sizes)
        if len(x) >= WRITTEN_FROM:
            weight = torch.addcmul(self.mu_weight, self.sigma_weight, outputs.unsqueeze(1) * inputs)
            return F.linear(x, weight, torch.addcmul(self.mu_bias, self.sigma_bias, outputs))
        spread = F.linear(x * inputs, self.sigma_weight, self.sigma_bias) * outputs
        return F.linear(x, self.mu_weight, self.mu_bias) + spread


def nature(channels):
    """Convolutions of Nature DQN (Mnih et al. 2015), and how many features they make of 84x84 pixels."""
    layers = nn.Sequential(
        nn.Conv2d(channels, 32, 8, stride=4),
        nn.ReLU(),
        nn.Conv2d(32, 64, 4, stride=2),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, stride=1),
        nn.ReLU(),
        nn.Flatten(),
    )
    return layers, 64 * 7 * 7


class Residual(nn.Module):
    """A residual block of IMPALA."""

    def __init__(self, channels):
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x):
        return x + self.second(F.relu(self.first(F.relu(x))))


def impala(channels, stages):
    """The residual network of IMPALA (Espeholt et al. 2018), and how many features it makes of 84x84 pixels."""
    layers, side = [], 84
    for out in stages:
        layers += [nn.Conv2d(channels, out, 3, padding=1), nn.MaxPool2d(3, 2, 1), Residual(out), Residual(out)]
        channels, side = out, (side + 1) // 2
    return nn.Sequential(*layers, nn.ReLU(), nn.Flatten()), channels * side * side


class Network(nn.Module):
    """Convolutions with one or two streams behind them."""

    def __init__(self, agent, actions=ACTIONS):
        super().__init__()
        (hidden,) = agent.network["hidden"]
        layer = NoisyLinear if agent.noisy else PlainLinear
        sigma = agent.network.get("sigma")
        self.agent = agent
        self.actions = actions
        if agent.network["kind"] == "impala":
            self.convolutions, features = impala(IMAGE[0], agent.network["channels"])
        else:
            self.convolutions, features = nature(IMAGE[0])
        outputs = [actions * agent.atoms] + ([agent.atoms] if agent.dueling else [])
        self.streams = nn.ModuleList(
            nn.ModuleList([layer(features, hidden, sigma), layer(hidden, size, sigma)]) for size in outputs
        )
        self.factors = [part.factors for stream in self.streams for part in stream]
        if agent.distributional:
            atoms = torch.linspace(agent.network["v_min"], agent.network["v_max"], agent.atoms)
            self.register_buffer("support", atoms)

    def forward(self, observations, noise):
        """Bytes `[batch, 4, 84, 84]` to q-values or logits, `[batch, actions, atoms]`."""
        features = self.convolutions(observations.float() / 255)
        noise = iter(noise.split(self.factors))
        advantage, *value = [
            output(F.relu(hidden(features, next(noise))), next(noise)) for hidden, output in self.streams
        ]
        advantage = advantage.view(-1, self.actions, self.agent.atoms)
        if not self.agent.dueling:
            return advantage
        return value[0].unsqueeze(1) + advantage - advantage.mean(1, keepdim=True)

    def q_values(self, outputs):
        """`[batch, actions, atoms]` to `[batch, actions]`."""
        if self.agent.distributional:
            return (outputs.softmax(2) * self.support).sum(2)
        return outputs.squeeze(2)


def draw_noise(noise):
    """Fills a tensor with f(x) = sgn(x) sqrt|x| of normal numbers."""
    noise.normal_()
    noise.copy_(noise.sign() * noise.abs().sqrt())


def of_action(outputs, actions):
    """The row of each example's action, `[batch, atoms]`."""
    batch, _, atoms = outputs.shape
    return outputs.gather(1, actions.view(batch, 1, 1).expand(batch, 1, atoms)).squeeze(1)


def project(returns, discounts, probabilities, support):
    """Distribution of return + discount * Z on Z's atoms (Bellemare et al. 2017, algorithm 1)."""
    last = len(support) - 1
    spacing = (support[-1] - support[0]) / last
    moved = returns.unsqueeze(1) + discounts.unsqueeze(1) * support
    place = ((moved - support[0]) / spacing).clamp(0, last)
    lower = place.floor()
    share = place - lower
    lower = lower.long()
    projected = torch.zeros_like(probabilities)
    projected.scatter_add_(1, lower, probabilities * (1 - share))
    projected.scatter_add_(1, (lower + 1).clamp(max=last), probabilities * share)
    return projected


def losses(online, target, columns, noise):
    """Loss of each example, `[batch]`; `noise` holds the factors of the online network, then those of the target."""
    agent = online.agent
    observations, actions, returns, discounts, next_observations = columns
    online_noise, target_noise = noise.chunk(2)
    with torch.no_grad():
        outputs = target(next_observations, target_noise)
        chooser = online(next_observations, online_noise) if agent.double else outputs
        best = of_action(outputs, online.q_values(chooser).argmax(1))
        if agent.distributional:
            wanted = project(returns, discounts, best.softmax(1), online.support)
        else:
            wanted = returns + discounts * best.squeeze(1)
    chosen = of_action(online(observations, online_noise), actions)
    if agent.distributional:
        return -(wanted * chosen.log_softmax(1)).sum(1)
    error = {"huber": F.huber_loss, "squared": F.mse_loss}[agent.learning["loss"]]
    return error(chosen.squeeze(1), wanted, reduction="none")


def optimiser(agent, parameters, **implementation):
    """The preset's optimiser; `implementation` chooses among PyTorch's, such as fused=True."""
    values = agent.optimiser
    if values["kind"] == "adam":
        return torch.optim.Adam(parameters, lr=values["learning_rate"], eps=values["epsilon"], **implementation)
    return torch.optim.RMSprop(
        parameters,
        lr=values["learning_rate"],
        alpha=values["decay"],
        eps=math.sqrt(values["epsilon"]),
        centered=True,
        **implementation,
    )
