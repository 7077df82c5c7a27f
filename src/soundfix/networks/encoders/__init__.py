"""What listens before the figure begins: BEATs and NGCC-PHAT, equal to the published code; nothing here learns a
place."""
