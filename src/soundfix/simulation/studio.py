"""The studio of the LuViRA data set, from its published positions: 11 microphones in 7.2 x 8.0 x 2.8 m.

Positions are from the origin of the motion capture; the room's lowest corner lies at minus LUVIRA_ORIGIN_M.
"""

LUVIRA_ORIGIN_M = (3.70, 4.53, 0.0)
LUVIRA_SIZE_M = (7.2, 8.0, 2.8)
LUVIRA_POSITIONS_M = (
    (2.44654, 1.73981, 1.15366),
    (2.87814, -0.64852, 1.04743),
    (1.32796, -3.13323, 1.56532),
    (-1.05590, -3.54572, 1.10822),
    (-3.07651, -0.05903, 1.37150),
    (-2.41190, 2.47719, 1.54504),
    (2.22765, -0.75627, 0.21350),
    (1.78977, -2.37611, 0.20472),
    (0.05017, -3.35889, 0.21266),
    (-1.92065, -2.82050, 0.14431),
    (-2.92366, 0.71836, 0.14705),
)
