"""A local exchange that speaks Binance's own REST and WebSocket protocols over a replayed or synthetic market."""

from queuefront.paper.clock import LoopClock, StepClock, WallClock
from queuefront.paper.faults import Fault, FaultKind, load_faults, random_faults
from queuefront.paper.listing import Listing
from queuefront.paper.matching import MatchingModels
from queuefront.paper.rules import VenueName
from queuefront.paper.server import PaperServer
from queuefront.paper.venue import DEFAULT_KEY, DEFAULT_SECRET, PaperConfig, PaperVenue

__all__ = [
    "DEFAULT_KEY",
    "DEFAULT_SECRET",
    "Fault",
    "FaultKind",
    "Listing",
    "LoopClock",
    "MatchingModels",
    "PaperConfig",
    "PaperServer",
    "PaperVenue",
    "StepClock",
    "VenueName",
    "WallClock",
    "load_faults",
    "random_faults",
]
