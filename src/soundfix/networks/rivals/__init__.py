"""The paper's learned rivals as networks: DI-NN, GNN and wav2pos; as localizers they are in `methods`, not here."""
