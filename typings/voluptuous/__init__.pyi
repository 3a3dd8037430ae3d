# Home Assistant aliases voluptuous to probatio at run time; this lets the type checker see the same.
from probatio import *
