"""Honest fakes of what can stand behind a Nest home: each speaks the wire of the real thing, on loopback only.

They do what the real ones do, the traps included, unless a trap is switched off. They misbehave only when told to.
"""

from .broker import Broker, find_mosquitto
from .nolongerevil import NoLongerEvil, Traps
from .starling import Hub
from .web import Fault
from .zigbee2mqtt import Detector, Zigbee2Mqtt

__all__ = ["Broker", "Detector", "Fault", "Hub", "NoLongerEvil", "Traps", "Zigbee2Mqtt", "find_mosquitto"]
