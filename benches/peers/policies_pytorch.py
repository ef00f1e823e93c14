"""Writes small state dicts of PyTorch in the layouts that are imported, with observations and PyTorch's own answers.

    python policies_pytorch.py crates/exchange/tests/pytorch

Each NAME.pth (or .zip, .safetensors) has a NAME.json beside it: the network's description as prism has it, observations, and
the q-values that PyTorch computes for them.
"""

import io
import json
import sys
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

SHAPE, ACTIONS, ATOMS = (2, 20, 17), 3, 5
FEATURES = 6 * 5 * 4
IMAGE = {"shape": list(SHAPE), "element": "u8"}
CONVOLUTIONS = {"kind": "convolutional", "convolutions": [[5, 3, 4], [2, 1, 6]], "hidden": [11]}


class Scaled(nn.Module):
    def forward(self, x):
        return x / 255.0


def convolutions():
    return [nn.Conv2d(2, 4, 5, 3), nn.ReLU(), nn.Conv2d(4, 6, 2, 1), nn.ReLU(), nn.Flatten()]


class Numbered(nn.Module):
    """As CleanRL names layers: network.0, network.2 and so on."""

    def __init__(self, outputs):
        super().__init__()
        self.network = nn.Sequential(*convolutions(), nn.Linear(FEATURES, 11), nn.ReLU(), nn.Linear(11, outputs))

    def forward(self, x):
        return self.network(x / 255.0)


class Distributional(Numbered):
    """As CleanRL's C51, whose atoms are a buffer of the module."""

    def __init__(self):
        super().__init__(ACTIONS * ATOMS)
        self.register_buffer("atoms", torch.linspace(-2.0, 3.0, ATOMS))

    def forward(self, x):
        logits = super().forward(x).view(-1, ACTIONS, ATOMS)
        return (torch.softmax(logits, 2) * self.atoms).sum(2)


class Noisy(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight_mu = nn.Parameter(torch.randn(outputs, inputs) * inputs**-0.5)
        self.weight_sigma = nn.Parameter(torch.rand(outputs, inputs))
        self.register_buffer("weight_epsilon", torch.randn(outputs, inputs))
        self.bias_mu = nn.Parameter(torch.randn(outputs))
        self.bias_sigma = nn.Parameter(torch.rand(outputs))
        self.register_buffer("bias_epsilon", torch.randn(outputs))

    def forward(self, x):
        return nn.functional.linear(x, self.weight_mu, self.bias_mu)


class Rainbow(nn.Module):
    """Dueling, noisy and distributional, the advantages before the value."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(*convolutions())
        self.advantage_head = nn.Sequential(Noisy(FEATURES, 11), nn.ReLU(), Noisy(11, ACTIONS * ATOMS))
        self.value_head = nn.Sequential(Noisy(FEATURES, 11), nn.ReLU(), Noisy(11, ATOMS))
        self.register_buffer("support", torch.linspace(-2.0, 3.0, ATOMS))

    def forward(self, x):
        features = self.network(x / 255.0)
        value = self.value_head(features).view(-1, 1, ATOMS)
        advantages = self.advantage_head(features).view(-1, ACTIONS, ATOMS)
        logits = value + advantages - advantages.mean(1, keepdim=True)
        return (torch.softmax(logits, 2) * self.support).sum(2)


class Named(nn.Module):
    """Layers by name, in the manner of ports of Dopamine."""

    def __init__(self):
        super().__init__()
        self.conv1, _, self.conv2, _, _ = convolutions()
        self.fc1, self.fc2 = nn.Linear(FEATURES, 11), nn.Linear(11, ACTIONS)

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x / 255.0))))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


class Extracted(nn.Module):
    """As Stable-Baselines3 names layers, with a target network beside."""

    def __init__(self):
        super().__init__()
        for name in ["q_net", "q_net_target"]:
            network = nn.Module()
            network.features_extractor = nn.Module()
            network.features_extractor.cnn = nn.Sequential(*convolutions())
            network.features_extractor.linear = nn.Sequential(nn.Linear(FEATURES, 11), nn.ReLU())
            network.q_net = nn.Sequential(nn.Linear(11, ACTIONS))
            setattr(self, name, network)

    def forward(self, x):
        network = self.q_net
        return network.q_net(network.features_extractor.linear(network.features_extractor.cnn(x / 255.0)))


def describe(output=None, **changes):
    return {
        "input": IMAGE, "scaling": "elements", "actions": ACTIONS, "torso": CONVOLUTIONS, "activation": "relu",
        "streams": "single", "output": output or {"kind": "q-values"}, "layers": {"kind": "plain"}, **changes,
    }


def main(folder):
    torch.manual_seed(7)
    atoms = {"kind": "distribution", "v_min": -2.0, "v_max": 3.0, "atoms": ATOMS}
    noisy = {"kind": "noisy", "noise": "factorised", "sigma": 0.5}
    vector = {"input": {"shape": [4], "element": "f32"}, "actions": 2, "torso": {"kind": "mlp", "hidden": [12, 9]}}
    mlp = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 2))
    cases = {
        "numbered.pth": (Numbered(ACTIONS), describe()),
        "distributional.pth": (Distributional(), describe(atoms)),
        "rainbow.pth": (Rainbow(), describe(atoms, streams="dueling", layers=noisy)),
        "named.pth": (Named(), describe()),
        "half.pth": (Named().half(), describe()),
        "bfloat16.pth": (Named().to(torch.bfloat16), describe()),
        "double.pth": (Named().double(), describe()),
        "nested.pth": (Named(), describe()),
        "extracted.zip": (Extracted(), describe()),
        "vector.pth": (mlp, describe(**vector)),
        "numbered.safetensors": (Numbered(ACTIONS), describe()),
    }
    for name, (network, description) in cases.items():
        path = folder / name
        weights = network.state_dict()
        if path.suffix == ".safetensors":
            save_file(weights, path)
        elif path.suffix == ".zip":
            inner = io.BytesIO()
            torch.save(weights, inner)
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("data", "{}")
                archive.writestr("policy.pth", inner.getvalue())
        elif name.startswith("nested"):
            optimiser = torch.optim.Adam(network.parameters())
            torch.save({"step": 10**12, "rate": 0.5, "model": weights, "optimizer": optimiser.state_dict()}, path)
        else:
            torch.save(weights, path)
        shape = description["input"]["shape"]
        if description["input"]["element"] == "u8":
            observations = torch.randint(0, 256, (2, *shape)).float()
        else:
            observations = torch.randn(2, *shape)
        with torch.no_grad():
            values = network.double()(observations.double())
        answers = {
            "torch": torch.__version__, "network": description,
            "observations": observations.flatten(1).tolist(), "q_values": values.tolist(),
        }
        path.with_suffix(path.suffix + ".json").write_text(json.dumps(answers) + "\n")
    # A whole module, which can only be read by running its class.
    torch.save(Named(), folder / "module.pth")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
