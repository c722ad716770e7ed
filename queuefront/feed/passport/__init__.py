"""The passport: how good a tape is, span by span. Measured in one pass, judged by limits of your own."""

from queuefront.feed.passport.judge import Finding, Verdict
from queuefront.feed.passport.measures import Measures, measure
from queuefront.feed.passport.passport import Passport, measures_from_text, measures_text, passport_of
from queuefront.feed.passport.thresholds import PassportThresholds

__all__ = [
    "Finding",
    "Measures",
    "Passport",
    "PassportThresholds",
    "Verdict",
    "measure",
    "measures_from_text",
    "measures_text",
    "passport_of",
]
