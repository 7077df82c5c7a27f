"""Every method behind one interface, by name: what fills the boxes of `localization`; no whole recording, and no file
of sound."""
