"""Device files: what is known of the machines that networks run on, and where those files lie.

Data sheets of common devices are bundled; what `convsize calibrate` measures lies among the user's settings.
"""

from convsize.devices.document import NAME as NAME
from convsize.devices.document import dump as dump
from convsize.devices.library import home as home
from convsize.devices.library import kind_of as kind_of
from convsize.devices.library import load as load
from convsize.devices.library import names as names
from convsize.devices.library import of_machine as of_machine
