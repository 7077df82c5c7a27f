"""What an array can and can never tell, before anything is located; no text and no picture, which are in `report`."""
