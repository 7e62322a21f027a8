"""What the analyses find out, as frozen records that every view reads: one file for every kind of answer.

Counts are plain ints for one sample unless a field says "batch"; bytes are bytes; formatting is the views' work.

A record is taken from here, `from convsize.records import Report`, which imports the file that holds it: making the
records of all answers would be a tenth of what a command takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convsize.records.analysis import Insight as Insight
    from convsize.records.analysis import Iteration as Iteration
    from convsize.records.analysis import LayerRow as LayerRow
    from convsize.records.analysis import Lost as Lost
    from convsize.records.analysis import ParameterRow as ParameterRow
    from convsize.records.analysis import ReceptiveField as ReceptiveField
    from convsize.records.analysis import Report as Report
    from convsize.records.analysis import Shift as Shift
    from convsize.records.analysis import Totals as Totals
    from convsize.records.analysis import UnreadPixels as UnreadPixels
    from convsize.records.check import CheckReport as CheckReport
    from convsize.records.check import FileFindings as FileFindings
    from convsize.records.check import RulePage as RulePage
    from convsize.records.convention import ConventionCount as ConventionCount
    from convsize.records.convention import ConventionRow as ConventionRow
    from convsize.records.device import Accuracy as Accuracy
    from convsize.records.device import ClassTable as ClassTable
    from convsize.records.device import Device as Device
    from convsize.records.device import DeviceSource as DeviceSource
    from convsize.records.device import Sample as Sample
    from convsize.records.difference import CheckpointFit as CheckpointFit
    from convsize.records.difference import Difference as Difference
    from convsize.records.difference import FigureChange as FigureChange
    from convsize.records.difference import KeyChange as KeyChange
    from convsize.records.difference import LayerChange as LayerChange
    from convsize.records.dtypes import AUTOCAST as AUTOCAST
    from convsize.records.dtypes import ITEM_SIZES as ITEM_SIZES
    from convsize.records.memory import BatchFit as BatchFit
    from convsize.records.memory import Capacity as Capacity
    from convsize.records.memory import DeviceShare as DeviceShare
    from convsize.records.memory import InputFit as InputFit
    from convsize.records.memory import TrainingChoice as TrainingChoice
    from convsize.records.memory import TrainingMemory as TrainingMemory
    from convsize.records.memory import TrainingMoment as TrainingMoment
    from convsize.records.memory import TrainingPeak as TrainingPeak
    from convsize.records.memory import TrainingSetting as TrainingSetting
    from convsize.records.profile import Kernel as Kernel
    from convsize.records.profile import LayerProfile as LayerProfile
    from convsize.records.profile import Measured as Measured
    from convsize.records.profile import Profile as Profile
    from convsize.records.profile import Roof as Roof
    from convsize.records.receipt import Line as Line
    from convsize.records.receipt import Receipt as Receipt
    from convsize.records.sizes import AxisSizes as AxisSizes
    from convsize.records.sizes import Bound as Bound
    from convsize.records.sizes import InputSizes as InputSizes
    from convsize.records.sizes import NearSize as NearSize
    from convsize.records.sizes import Progression as Progression
    from convsize.records.sizes import SizeAnswer as SizeAnswer
    from convsize.records.sizes import SizeRange as SizeRange
    from convsize.records.sizes import SizeSet as SizeSet
    from convsize.records.sizes import SizesReport as SizesReport
    from convsize.records.training import EpochFigures as EpochFigures
    from convsize.records.training import Event as Event
    from convsize.records.training import HeadScore as HeadScore
    from convsize.records.training import Notice as Notice
    from convsize.records.training import RunEnd as RunEnd
    from convsize.records.training import RunSettings as RunSettings
    from convsize.records.training import RunStart as RunStart
    from convsize.records.training import StepFigures as StepFigures

_FILES = {
    "analysis": (
        "Insight",
        "LayerRow",
        "Lost",
        "ParameterRow",
        "ReceptiveField",
        "Shift",
        "Report",
        "Totals",
        "Iteration",
        "UnreadPixels",
    ),
    "check": (
        "CheckReport",
        "FileFindings",
        "RulePage",
    ),
    "convention": (
        "ConventionCount",
        "ConventionRow",
    ),
    "sizes": (
        "AxisSizes",
        "Bound",
        "InputSizes",
        "NearSize",
        "Progression",
        "SizeAnswer",
        "SizeRange",
        "SizeSet",
        "SizesReport",
    ),
    "device": (
        "Accuracy",
        "ClassTable",
        "Device",
        "DeviceSource",
        "Sample",
    ),
    "dtypes": (
        "AUTOCAST",
        "ITEM_SIZES",
    ),
    "difference": (
        "CheckpointFit",
        "Difference",
        "FigureChange",
        "KeyChange",
        "LayerChange",
    ),
    "memory": (
        "BatchFit",
        "Capacity",
        "DeviceShare",
        "InputFit",
        "TrainingChoice",
        "TrainingMemory",
        "TrainingMoment",
        "TrainingPeak",
        "TrainingSetting",
    ),
    "training": (
        "EpochFigures",
        "Event",
        "HeadScore",
        "Notice",
        "RunEnd",
        "RunSettings",
        "RunStart",
        "StepFigures",
    ),
    "profile": (
        "Kernel",
        "LayerProfile",
        "Measured",
        "Profile",
        "Roof",
    ),
    "receipt": (
        "Line",
        "Receipt",
    ),
}


def __getattr__(name: str) -> object:
    for file, names in _FILES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f"{__name__}.{file}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
