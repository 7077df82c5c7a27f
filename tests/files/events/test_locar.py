"""locaR's detections: stations as they are listed."""

from pathlib import Path

from soundfix.files.events.locar import is_locar, read_locar
from soundfix.files.events.table import read_table

TEXT = """"Station1","Station2","Station3","From","To","F_Low","F_High","Species"
"Ex-8","Ex-5",NA,0.8,1.1,2000,6500,"REVI"
"Ex-1",NA,NA,2,3,NA,NA,"CCSP"
"""


def test_stations_times_bands_and_species():
    table = read_table(Path("d.csv"), TEXT)
    assert is_locar(table)
    one, other = read_locar(table)
    assert (one.stations, one.start_s, one.end_s) == (("Ex-8", "Ex-5"), 0.8, 1.1)
    assert (one.band_hz, one.label, one.rows) == ((2000.0, 6500.0), "REVI", (0,))
    assert (other.stations, other.band_hz, other.label) == (("Ex-1",), None, "CCSP")
