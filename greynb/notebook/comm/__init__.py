"""What the labextension hears and asks, over Jupyter's comms: events while a query runs, and requests."""
